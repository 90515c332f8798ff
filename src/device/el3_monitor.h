// SPDX-License-Identifier: GPL-2.0-only
// What firmware at EL3 answers to an SMC: PSCI 1.1 (Arm DEN 0022) for one CPU, and nothing else. As
// measured on QEMU's `virt`, SMCCC_VERSION answers NOT_SUPPORTED too. A suspended CPU wakes up at
// once: here no time passes while nothing runs.
#pragma once

#include <array>
#include <cstdint>

#include "support/address.h"

namespace pkvmemu::device {

class El3Monitor {
 public:
  enum class Action : std::uint8_t {
    resume,     ///< the caller goes on, with x0
    power_off,  ///< SYSTEM_OFF
    reset,      ///< SYSTEM_RESET
    halt,       ///< the only CPU is off
    power_up,   ///< it lost its registers, and enters EL2 at `entry` with x0
  };
  struct Answer {
    std::int64_t x0 = 0;
    Action action = Action::resume;
    Pa entry{0};
  };
  /// x0 to x3 of the caller.
  using Arguments = std::array<std::uint64_t, 4>;

  [[nodiscard]] static Answer call(const Arguments& x);
  /// Whether the function is one of PSCI's that is answered here.
  [[nodiscard]] static bool knows(std::uint64_t id);
};

}  // namespace pkvmemu::device
