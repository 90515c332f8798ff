// SPDX-License-Identifier: GPL-2.0-only
// What the module subsystem needs from the kernel around it. The EL1 kernel implements this over
// its own memory, printk and HVC; the native tests implement it over a fake hypervisor that records
// calls. The subsystem itself touches nothing else: no globals, no heap, no system register.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "pkvm/cpucaps.h"
#include "pkvm/event.h"
#include "support/address.h"

namespace pkvmemu::kmod {

struct Module;

/// What a piece of module memory is for, which decides its final permission (pkvm-abi.md 2.6: from
/// 6.6 on each kind is an allocation of its own).
enum class MemoryKind : std::uint8_t {
  text,           ///< R|X
  data,           ///< R|W
  rodata,         ///< R
  ro_after_init,  ///< R|W until the module's init has run, then R
  init_text,      ///< R|X, freed after init
  init_data,      ///< R|W, freed after init
  init_rodata,    ///< R, freed after init
  scratch,        ///< the loader's own tables: anywhere in the kernel's memory, R|W for ever
};
inline constexpr std::size_t memory_kind_count = 8;

/// Page-aligned module memory. `address` is where the kernel sees it; `bytes` is where this code
/// writes it: the same place in the firmware, another one in a native test.
struct Memory {
  KernVa address;
  std::span<std::byte> bytes;
};

/// State of the hypervisor as step 1 of a load asks for it (pkvm-abi.md 3.2).
enum class HypPhase : std::uint8_t {
  not_protected,  ///< KVM is off or not in protected mode
  open,           ///< protected mode, modules may load
  finalised,      ///< the host has lost its privileges
};

class KernelServices {
 public:
  /// `size` bytes rounded up to pages, zeroed, writable whatever the kind until protect(). All
  /// kinds but `scratch` lie within the module window (+-128 MiB of each other at best, +-2 GiB at
  /// worst). `scratch` memory need only be kernel memory. Nothing when there is none.
  virtual std::optional<Memory> allocate(MemoryKind kind, std::uint64_t size) = 0;
  virtual void free(MemoryKind kind, const Memory& memory) = 0;
  /// Gives the memory its kind's permission. Called once before init; and once more for
  /// `ro_after_init` when init has succeeded, with kind `rodata`. Hyp sections are among it and
  /// keep it: nothing is remapped when their pages go to EL2 (2.6).
  virtual void protect(MemoryKind kind, const Memory& memory) = 0;
  /// Makes code written through `bytes` executable at `address`.
  virtual void sync_icache(const Memory& memory) = 0;

  /// Address of a symbol that the kernel exports to modules.
  virtual std::optional<KernVa> resolve(std::string_view symbol) = 0;
  /// The declared stub of this name (pkvm/stubs.def), for what no module exports either.
  virtual std::optional<KernVa> declared_stub(std::string_view /*symbol*/) { return std::nullopt; }
  /// An address for a symbol that nobody exports, when the user asked for stubs; else nothing.
  virtual std::optional<KernVa> stub_for(std::string_view symbol) = 0;
  /// Physical frame behind a kernel address of module memory.
  virtual std::optional<Pfn> frame_of(KernVa address) = 0;

  /// HVC #0 with x0 to x7; returns x0 to x3.
  virtual std::array<std::uint64_t, 4> hypercall(const std::array<std::uint64_t, 8>& x) = 0;
  virtual HypPhase hyp_phase() = 0;

  /// Calls `int (*)(void)` at this kernel address, as the kernel calls a module's init.
  virtual int run_init(KernVa init) = 0;
  /// Calls the `set` of a struct kernel_param at this kernel address, as the kernel does. `value`
  /// is null for an argument without one, which a parameter may refuse. 0 or a negated errno.
  virtual int set_parameter(KernVa record, const char* value) = 0;
  /// Stores a word at a kernel address, whatever the permission of its page, as the kernel's text
  /// patching does: slots of .hyp.reloc in protected module memory, and the load token, at an
  /// address that the module gave us (its data or its stack; it need not be aligned).
  virtual void store_word(KernVa where, std::uint64_t value) = 0;

  /// Memory that each CPU has of its own; `address` is what a CPU adds its offset to, and nothing
  /// is mapped there. Nothing when there is no room.
  virtual std::optional<Memory> allocate_per_cpu(std::uint64_t size, std::uint64_t alignment) = 0;
  virtual void free_per_cpu(const Memory& memory) = 0;

  /// Whether the kernel has CPU capabilities of this kind.
  virtual bool has_capability(pkvm::cpucaps::Presence kind) = 0;
  /// Replaces an instruction of module code that may run, whatever the permission of its page.
  virtual void patch_code(KernVa where, std::uint32_t instruction) = 0;
  /// Whether a static key is enabled that lies outside of modules; nothing when it cannot be read.
  virtual std::optional<bool> key_enabled(KernVa key) = 0;

  /// A module's init failed, or the kernel says so: what it registered goes before its memory.
  virtual void init_failed(const Module& /*module*/) {}

  /// A module's EL2 half is in.
  virtual void el2_loaded(const Module& /*module*/) {}

  /// One line of the kernel log, without newline.
  virtual void message(std::string_view line) = 0;
  /// Fills `sequence` and produces the record on the host's ring; does nothing without a port.
  virtual void event(const pkvm::event::Record& record) = 0;

 protected:
  ~KernelServices() = default;
};

}  // namespace pkvmemu::kmod
