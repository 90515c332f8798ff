// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace pkvmemu::campaign {
namespace {

/// The same for findings that are alike. Texts name pages and addresses, which differ from case to
/// case of one cause: they do not count.
std::string key_of(const CaseRecord& record) {
  std::string key = fmt::format("{}\0{}", name_of(record.outcome), record.why);
  for (const Finding& finding : record.findings)
    key += '\0' + finding.kind;
  return key;
}

}  // namespace

Counts count_outcomes(std::span<const CaseRecord> cases) {
  Counts counts{};
  for (const CaseRecord& record : cases)
    ++counts.at(static_cast<std::size_t>(record.outcome));
  return counts;
}

std::size_t count_findings(std::span<const CaseRecord> cases) {
  return static_cast<std::size_t>(std::ranges::count_if(cases, is_finding, &CaseRecord::outcome));
}

std::uint64_t cases_not_run(const SweepResult& result) {
  const std::uint64_t run = result.cases.size();
  return result.sweep.cases > run ? result.sweep.cases - run : 0;
}

std::vector<SiteRow> untried_sites(const SweepResult& result) {
  std::set<std::string_view> tried;
  for (const CaseRecord& record : result.cases)
    for (const FaultRecord& fault : record.faults)
      tried.insert(fault.site);
  std::vector<SiteRow> rows;
  for (const auto& [name, meaning] : result.sweep.meanings)
    if (!tried.contains(name)) rows.push_back({.name = name, .meaning = meaning});
  return rows;
}

std::vector<Alike> alike_findings(const SweepResult& result) {
  std::vector<Alike> groups;
  std::unordered_map<std::string, std::size_t> index_of;
  for (const CaseRecord& record : result.cases) {
    if (!is_finding(record.outcome)) continue;
    const auto [place, is_new] = index_of.try_emplace(key_of(record), groups.size());
    if (is_new) groups.emplace_back();
    groups.at(place->second).push_back(&record);
  }
  // By outcome, then as cases come; stable_sort of libstdc++ 12 does not compile without warnings.
  std::ranges::sort(groups, {}, [](const Alike& group) {
    return std::pair(group.front()->outcome, group.front());
  });
  return groups;
}

}  // namespace pkvmemu::campaign
