// SPDX-License-Identifier: GPL-2.0-only
// The parts of the HTML report that are more than a few lines. Each returns HTML in which nothing
// of a guest's, a file's or a site's stands unescaped.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "campaign/record.h"

namespace pkvmemu::campaign {

/// How an outcome looks: colour is never the only sign.
struct OutcomeMark {
  std::string_view symbol;
  std::string_view style;  ///< class of the style sheet
  std::string_view meaning;
};
const OutcomeMark& mark_of(Outcome outcome);

/// "<span class=...>✗ bug</span>".
std::string badge(Outcome outcome);

/// "case-12": where the page tells of a case; its place in the result.
std::string anchor_of(const SweepResult& result, const CaseRecord& record);

/// Sites by occurrences: single faults.
std::string occurrence_matrix(const SweepResult& result);
/// First site by second site: cases of two faults; empty when there are none.
std::string pair_matrix(const SweepResult& result);

/// Findings that are alike: the first in full and open, the others closed.
std::string findings_section(const SweepResult& result);
/// A row for each good case.
std::string other_cases_section(const SweepResult& result);

extern const std::string_view page_style;
extern const std::string_view page_script;

}  // namespace pkvmemu::campaign
