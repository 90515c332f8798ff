// SPDX-License-Identifier: GPL-2.0-only
// The board as guest code and both machines see it: QEMU's `virt` layout (docs/design.md, 3), our
// devicetree bindings, and the kernel parameters that are ours.
#pragma once

#include <cstdint>
#include <string_view>

namespace pkvm::platform {

inline constexpr std::uint64_t ram_base = 0x4000'0000;
inline constexpr std::uint64_t default_ram_size = 0x4000'0000;  ///< 1 GiB
/// arm64 boot protocol with text_offset 0: the image lies 2 MiB into RAM.
inline constexpr std::uint64_t image_offset = 0x20'0000;
/// QEMU: the initrd 128 MiB into RAM, the devicetree at the next 2 MiB boundary after its end; with
/// no initrd the devicetree takes its place.
inline constexpr std::uint64_t initrd_offset = 0x800'0000;

inline constexpr std::uint64_t pl011_base = 0x0900'0000;
inline constexpr std::uint64_t pl011_size = 0x1000;
/// Unmapped on `virt`; see event.h.
inline constexpr std::uint64_t event_port_base = 0x0b00'0000;
inline constexpr std::uint64_t event_port_size = 0x1000;

/// Where `virt` has its clock; the registers of the one device that may be assigned to guests.
inline constexpr std::uint64_t assignable_base = 0x0901'0000;
inline constexpr std::uint64_t assignable_size = 0x1000;

/// Reserved memory, from the end of RAM downwards. pvmfw is all the two machines share; the rings
/// exist only where the event port does.
inline constexpr std::uint64_t pvmfw_size = 0x10'0000;            ///< 1 MiB
inline constexpr std::uint64_t pvmfw_below_ram_end = 0x200'0000;  ///< base = RAM end - 32 MiB
inline constexpr std::uint64_t event_ring_size = 0x1'0000;        ///< 64 KiB, each of the two
inline constexpr std::uint64_t hyp_ring_below_ram_end = 0x1F0'0000;
inline constexpr std::uint64_t host_ring_below_ram_end = 0x1E0'0000;

// Devicetree bindings.
inline constexpr std::string_view event_port_compatible = "pkvmemu,event-port";
/// The port's `memory-region`: two phandles, EL2's ring first, then the host's.
inline constexpr std::string_view ring_compatible = "pkvmemu,event-ring";
/// Kernel binding (pkvm-abi.md 6.6): reserved-memory, no-map, page-aligned.
inline constexpr std::string_view pvmfw_compatible = "linux,pkvm-guest-firmware-memory";

/// Kernel binding (pkvm-abi.md 7.4), with the device's registers as `reg`.
inline constexpr std::string_view assignable_compatible = "pkvm,device-assignment";

// Kernel parameters. The first two are the kernel's own (pkvm-abi.md 6.2).
inline constexpr std::string_view param_mode = "kvm-arm.mode";
inline constexpr std::string_view param_protected_modules = "kvm-arm.protected_modules";
inline constexpr std::string_view param_va_bits = "pkvmemu.va_bits";        ///< 39 (default) or 48
inline constexpr std::string_view param_generation = "pkvmemu.generation";  ///< a KMI name
inline constexpr std::string_view param_iommu = "pkvmemu.iommu";            ///< "null" or "none"
/// Present, or "1": defects of released kernels are reproduced (pkvm/quirk.h).
inline constexpr std::string_view param_as_shipped = "pkvmemu.as_shipped";
/// Present, or "1": every op that a module calls is reported as events (docs/cli.md, --log-ops).
inline constexpr std::string_view param_log_ops = "pkvmemu.log_ops";
/// Present, or "1": the hyp events of modules are enabled and shown (--trace-events).
inline constexpr std::string_view param_trace_events = "pkvmemu.trace_events";
/// Present, or "1": at the end of the run a protected VM is started (host/vm/probe.h).
inline constexpr std::string_view param_probe_pvm = "pkvmemu.probe_pvm";

/// "refuse" (default) a module whose imports nobody exports, or "stub" them.
inline constexpr std::string_view param_unresolved = "pkvmemu.unresolved";

/// Files in the initramfs, beside the modules in /lib/modules.
inline constexpr std::string_view rc_path = "pkvm-emu.rc";

}  // namespace pkvm::platform
