// SPDX-License-Identifier: GPL-2.0-only
// One scenario on one generation: from its file to a run, and what came of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"
#include "pkvm/generation.h"
#include "run_options.h"
#include "scenario/expectation.h"
#include "scenario/scenario.h"

namespace pkvmemu::tool {

/// One run of a scenario. Scenarios outlive it.
struct ScenarioCase {
  const scenario::Scenario* scenario = nullptr;
  pkvm::Generation generation = pkvm::Generation::android15_6_6;

  [[nodiscard]] std::string name() const;  ///< "late-load [android15-6.6]"
};

struct CaseResult {
  std::string error;  ///< why it could not be run; empty when it was
  std::vector<scenario::Mismatch> mismatches;
  std::vector<std::string> verdict;
  std::vector<std::string> console;
  std::uint64_t instructions = 0;
  bool interrupted = false;

  [[nodiscard]] bool is_good() const { return error.empty() && mismatches.empty() && !interrupted; }
};

/// The file's stem: "testcases/scenarios/late-load.yaml" is "late-load".
std::string name_of(const scenario::Scenario& scenario);

/// The scenario for each of its generations; without one in the file, for that of its modules.
std::vector<ScenarioCase> cases_of(const scenario::Scenario& scenario,
                                   std::span<const std::string> module_folders);

/// What the scenario's wishes say, as the command line would: a mistake is told with its place.
Outcome<std::vector<RcLine>> rc_lines(const scenario::Scenario& scenario);

/// Runs it in this process, which a signal may stop.
CaseResult run_case(const ScenarioCase& one, std::span<const std::string> module_folders);

/// For results that cross processes.
std::string to_json(const CaseResult& result);
CaseResult result_from_json(const std::string& text);

}  // namespace pkvmemu::tool
