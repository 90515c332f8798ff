// SPDX-License-Identifier: GPL-2.0-only
// What has to hold after a run (docs/faults.md, `expect`): words about the report, each judged with
// what was found instead.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace pkvmemu::observe {

struct RunReport;

struct Expectation {
  std::string subject;  ///< one of expectation_subjects()
  std::string wanted;
  std::string where{};  ///< in the plan: "plan.yaml:9:3"
  std::string found{};
  bool holds = false;
};

std::span<const std::string_view> expectation_subjects();

/// Whether the words are those that the subject takes.
Result<void> check(const Expectation& expectation);

/// Fills in what was found. Of the whole report, its exit code as it is without expectations.
void judge(const RunReport& report, Expectation& expectation);

}  // namespace pkvmemu::observe
