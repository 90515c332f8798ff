// SPDX-License-Identifier: GPL-2.0-only
// CPU capabilities that .altinstructions of modules name by number (pkvm-abi.md 2.6). A number is a
// matter of one kernel's configuration: only those that were found in modules are known.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "pkvm/generation.h"

namespace pkvm::cpucaps {

/// When a kernel has it.
enum class Presence : std::uint8_t {
  never,           ///< of other CPUs, or of a hypervisor in VHE mode
  always,          ///< once a kernel has looked at its CPUs
  protected_mode,  ///< with kvm-arm.mode=protected
  lse_atomics,     ///< FEAT_LSE
};

struct Row {
  Generation generation;
  std::uint16_t number;
  std::string_view name;
  Presence presence;
};

/// Bit 15: code of the kernel makes the replacement.
inline constexpr std::uint16_t callback_bit = 0x8000;

inline constexpr std::array rows = {
    Row{Generation::android14_6_1, 1, "ALWAYS_SYSTEM", Presence::always},
    Row{Generation::android14_6_1, 77, "WORKAROUND_DEVICE_LOAD_ACQUIRE", Presence::never},
    Row{Generation::android14_6_1, 40, "KVM_PROTECTED_MODE", Presence::protected_mode},
    Row{Generation::android15_6_6, 1, "ALWAYS_SYSTEM", Presence::always},
    Row{Generation::android15_6_6, 91, "WORKAROUND_DEVICE_LOAD_ACQUIRE", Presence::never},
    Row{Generation::android15_6_6, 33, "HAS_LSE_ATOMICS", Presence::lse_atomics},
    Row{Generation::android15_6_6, 50, "KVM_HVHE", Presence::never},
    Row{Generation::android15_6_6, 51, "KVM_PROTECTED_MODE", Presence::protected_mode},
    Row{Generation::android16_6_12, 1, "ALWAYS_SYSTEM", Presence::always},
    Row{Generation::android16_6_12, 97, "WORKAROUND_DEVICE_LOAD_ACQUIRE", Presence::never},
    Row{Generation::android16_6_12, 37, "HAS_LSE_ATOMICS", Presence::lse_atomics},
    Row{Generation::android16_6_12, 55, "KVM_PROTECTED_MODE", Presence::protected_mode},
};

/// Null for a number that is not known.
constexpr const Row* find(Generation generation, std::uint16_t number) {
  for (const Row& row : rows)
    if (row.generation == generation && row.number == number) return &row;
  return nullptr;
}

}  // namespace pkvm::cpucaps
