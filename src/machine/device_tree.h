// SPDX-License-Identifier: GPL-2.0-only
// The devicetree of the board (Devicetree Specification 0.4), for our machine and, without what
// only we have, for `qemu-system-aarch64 -M virt -dtb`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "machine/declared_device.h"
#include "machine/placement.h"
#include "support/file.h"
#include "support/result.h"

namespace pkvmemu::machine {

struct TreeDescription {
  std::uint64_t ram_size = pkvm::platform::default_ram_size;
  std::string bootargs{};             ///< QEMU replaces it by -append
  Range initrd{};                     ///< size 0: none; QEMU replaces it by -initrd
  bool pvmfw = false;                 ///< reserve pvmfw's region
  bool event_port = false;            ///< the port, and its two rings in reserved memory
  std::vector<Range> reserved{};      ///< pages that the kernel keeps off
  bool interrupt_controller = false;  ///< GICv3 and the timer that needs it: QEMU's, not ours yet
  std::span<const DeclaredDevice> devices{};
};

Result<Bytes> build_device_tree(const TreeDescription& description);

/// What `-dtb` takes for the same guest under QEMU: bootargs and initrd come from QEMU's options.
Result<Bytes> device_tree_for_qemu(std::uint64_t ram_size, bool pvmfw,
                                   std::vector<Range> reserved = {},
                                   std::span<const DeclaredDevice> devices = {});

}  // namespace pkvmemu::machine
