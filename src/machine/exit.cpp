// SPDX-License-Identifier: GPL-2.0-only
#include "machine/exit.h"

#include <array>

namespace pkvmemu::machine {
namespace {

struct Row {
  ExitReason reason;
  std::string_view name;
};

constexpr std::array rows{
    Row{ExitReason::powered_off, "powered-off"},
    Row{ExitReason::reset, "reset"},
    Row{ExitReason::halted, "halted"},
    Row{ExitReason::budget_spent, "budget-spent"},
    Row{ExitReason::breakpoint, "breakpoint"},
    Row{ExitReason::wedged, "wedged"},
    Row{ExitReason::stopped, "stopped"},
    Row{ExitReason::power_cut, "power-cut"},
    Row{ExitReason::engine_error, "engine-error"},
};

}  // namespace

std::string_view name_of(ExitReason reason) {
  for (const Row& row : rows)
    if (row.reason == reason) return row.name;
  return {};
}

}  // namespace pkvmemu::machine
