// SPDX-License-Identifier: GPL-2.0-only
// Why a run ended: a closed set. Every run ends for one of these, whatever the guest does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pkvmemu::machine {

enum class ExitReason {
  powered_off,   ///< PSCI SYSTEM_OFF
  reset,         ///< PSCI SYSTEM_RESET
  halted,        ///< WFI with nothing that could wake the CPU
  budget_spent,  ///< the instruction budget is used up
  breakpoint,    ///< a breakpoint of the host's was reached
  wedged,        ///< the guest faults on its own exception vector for ever
  stopped,       ///< the host asked
  power_cut,     ///< the host took the power away (a fault)
  engine_error,  ///< the CPU engine refused to go on: our bug
};

/// Stable names for reports: "powered-off", "budget-spent", ...
std::string_view name_of(ExitReason reason);

struct Exit {
  ExitReason reason = ExitReason::powered_off;
  std::uint64_t pc = 0;
  unsigned el = 0;
  std::string detail{};  ///< for people; may be empty
};

}  // namespace pkvmemu::machine
