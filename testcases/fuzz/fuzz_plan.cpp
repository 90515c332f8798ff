// SPDX-License-Identifier: GPL-2.0-only
// Plans of faults: any text is a plan, or is refused with a reason; and so is what its names mean.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "fault/plan.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pkvmemu;
  static constexpr std::array<std::string_view, 2> subjects = {"loads", "console"};
  static const symbols::SymbolTable none;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto plan = fault::parse_plan("plan", text, subjects);
  if (!plan) {
    if (plan.error().message.empty()) std::abort();
    return 0;
  }
  for (const fault::PlannedFault& planned : plan->faults) {
    const auto fault = fault::resolve(planned, {.sites = {}, .symbols = none});
    if (!fault && fault.error().message.empty()) std::abort();
  }
  return 0;
}
