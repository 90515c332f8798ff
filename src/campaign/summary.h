// SPDX-License-Identifier: GPL-2.0-only
// What all reports tell of a sweep: how many cases came to what, what was not tried, and findings
// put together where one cause shows in many cases.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "campaign/record.h"

namespace pkvmemu::campaign {

/// Findings first: how outcomes are told.
inline constexpr std::array<Outcome, outcome_count> telling_order = {
    Outcome::bug,  Outcome::panic,          Outcome::hang,
    Outcome::lost, Outcome::expected_error, Outcome::clean};

/// Cases by outcome, in the order of the enumeration.
using Counts = std::array<std::size_t, outcome_count>;
Counts count_outcomes(std::span<const CaseRecord> cases);
/// Of bugs, panics, hangs and lost ones.
std::size_t count_findings(std::span<const CaseRecord> cases);

/// Cases that the sweep planned and nobody has run yet, as far as it is known before.
std::uint64_t cases_not_run(const SweepResult& result);

struct SiteRow {
  std::string_view name;
  std::string_view meaning;
};
/// Sites that the sweep looked at and no case has a fault at: the clean run does not come there, or
/// the sweep is not complete. Into `result`.
std::vector<SiteRow> untried_sites(const SweepResult& result);

/// Findings of one outcome, one reason and the same kinds, which most likely have one cause; bugs
/// first. Into `result`.
using Alike = std::vector<const CaseRecord*>;
std::vector<Alike> alike_findings(const SweepResult& result);

}  // namespace pkvmemu::campaign
