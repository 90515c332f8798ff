// SPDX-License-Identifier: GPL-2.0-only
// Fault sites of native builds: a test says which site fails, and when.
#pragma once

#include <string_view>

namespace pkvmemu::fw {

/// What happens at a site that is reached; answers 0 to let it pass. nullptr, as at the start: all
/// pass. Tests that set it put it back.
using FakeFaults = long (*)(std::string_view site, long usual);
FakeFaults& fake_faults();

inline long fake_fault(std::string_view site, long usual) {
  const FakeFaults faults = fake_faults();
  return faults == nullptr ? 0 : faults(site, usual);
}

}  // namespace pkvmemu::fw
