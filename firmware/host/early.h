// SPDX-License-Identifier: GPL-2.0-only
// What runs at physical addresses, on the identity map of head.S: reading the devicetree, building
// the kernel's own tables, relocating. Everything it leaves behind is in BootState.
#pragma once

#include <cstdint>

#include "host/boot_info.h"
#include "host/command_line.h"
#include "host/layout.h"
#include "support/address.h"

namespace pkvmemu::host {

enum class BootFailure : std::uint8_t { none, no_devicetree, no_memory };

struct BootState {
  BootInfo info;
  unsigned va_bits = 39;
  Pa kernel_root;  ///< TTBR1_EL1
  Pa early_end;    ///< pages from the image's end to here hold tables
};

/// Filled by early_main; constant afterwards.
extern BootState boot_state;

inline KernelLayout kernel_layout() {
  return *KernelLayout::for_va_bits(boot_state.va_bits);
}

}  // namespace pkvmemu::host
