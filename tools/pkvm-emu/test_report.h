// SPDX-License-Identifier: GPL-2.0-only
// The results of `pkvm-emu test` as text for people, JSON, JUnit and TAP.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "scenario_run.h"

namespace pkvmemu::tool {

struct CaseReport {
  ScenarioCase which;
  CaseResult result;
};

/// Lines below that of a scenario which failed: what was expected and what there is, with the place
/// in the file, and the run's verdict. Empty for one that went well.
std::string details_of(const CaseReport& report);

/// "41 scenarios, 97 runs: all ok".
std::string summary_of(std::span<const CaseReport> reports);

std::string test_json(std::span<const CaseReport> reports);
std::string test_junit(std::span<const CaseReport> reports);
std::string test_tap(std::span<const CaseReport> reports);

}  // namespace pkvmemu::tool
