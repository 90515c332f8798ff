// SPDX-License-Identifier: GPL-2.0-only
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "campaign/report_html_parts.h"
#include "campaign/report_text.h"
#include "fault/fault.h"

namespace pkvmemu::campaign {
namespace {

/// More than so many in a row that were not run are one cell.
constexpr std::uint64_t longest_gap = 64;

struct StripKey {
  std::string_view site;
  std::uint64_t times;
  auto operator<=>(const StripKey&) const = default;
};
/// Cases of one site that fail as often, by the occurrence at which they begin to.
using Strip = std::multimap<std::uint64_t, const CaseRecord*>;
using Strips = std::map<StripKey, Strip>;

Strips strips_of(const SweepResult& result) {
  Strips strips;
  for (const CaseRecord& record : result.cases) {
    if (record.faults.size() != 1) continue;
    const FaultRecord& fault = record.faults.front();
    strips[{fault.site, fault.times}].emplace(fault.nth, &record);
  }
  return strips;
}

std::string case_cell(const SweepResult& result, const CaseRecord& record, std::string_view label) {
  const OutcomeMark& mark = mark_of(record.outcome);
  return fmt::format(
      R"(<a class="cell {0}" href="#{1}" title="{2}: {3}: {4}" aria-label="{5}: {3}">{6}</a>)",
      mark.style, anchor_of(result, record), escaped(record.id), name_of(record.outcome),
      escaped(record.why), label, mark.symbol);
}

/// `count` occurrences, of which `first` is one, that no case stands for.
std::string gap_cells(std::uint64_t first, std::uint64_t count) {
  if (count > longest_gap) return fmt::format("<span class=\"gap\">{} not run</span>", count);
  std::string text;
  for (std::uint64_t nth = first; nth - first < count; ++nth)
    text += fmt::format(
        "<span class=\"cell not-run\" title=\"{0}: not run\"><span class=\"unseen\">{0}: not "
        "run</span></span>",
        nth);
  return text;
}

std::string strip_cells(const SweepResult& result, const Strip& strip,
                        std::optional<std::uint64_t> occurrences) {
  std::string text;
  std::uint64_t next = 1;
  for (const auto& [nth, record] : strip) {
    if (occurrences && nth > next) text += gap_cells(next, nth - next);
    text += case_cell(result, *record, std::to_string(nth));
    next = nth + 1;
  }
  if (occurrences && next != 0 && *occurrences >= next)
    text += gap_cells(next, *occurrences - next + 1);
  return text;
}

std::string_view mode_text(std::uint64_t times) {
  if (times == 1) return "once";
  return times == fault::every_time ? "from then on" : "several times";
}

/// "1 · · · 5 · · · · 10": the header over the cells.
std::string ruler(const Strips& strips) {
  std::size_t longest = 1;
  for (const auto& [key, strip] : strips)
    longest = std::max(longest, strip.size());
  constexpr std::size_t step = 5;
  constexpr std::size_t most = 200;  // wider than any window: the rest is cut off
  std::string text;
  for (std::size_t nth = 1; nth <= std::min(longest, most); ++nth)
    text += fmt::format("<i>{}</i>", nth == 1 || nth % step == 0 ? std::to_string(nth) : "");
  return fmt::format(R"(<div class="ruler" aria-hidden="true">{}</div>)", text);
}

std::string row_head(const SweepResult& result, const CaseRecord& any, std::size_t rows) {
  const FaultRecord& fault = any.faults.front();
  const auto meaning = result.sweep.meanings.find(fault.site);
  return fmt::format(
      R"(<th scope="rowgroup" rowspan="{}"><code>{}</code><small>{}</small></th>)", rows,
      escaped(fault.site),
      escaped(meaning == result.sweep.meanings.end() ? fault.meaning : meaning->second));
}

std::optional<std::uint64_t> occurrences_of(const SweepRecord& sweep, std::string_view site) {
  const auto known = sweep.occurrences.find(std::string(site));
  if (known == sweep.occurrences.end()) return std::nullopt;
  return known->second;
}

using Pair = std::pair<std::string_view, std::string_view>;
struct PairCell {
  const CaseRecord* worst = nullptr;
  std::size_t count = 0;
};
using Pairs = std::map<Pair, PairCell>;

Pairs pairs_of(const SweepResult& result) {
  Pairs pairs;
  for (const CaseRecord& record : result.cases) {
    if (record.faults.size() < 2) continue;
    PairCell& cell = pairs[{record.faults[0].site, record.faults[1].site}];
    if (cell.worst == nullptr || cell.worst->outcome < record.outcome) cell.worst = &record;
    ++cell.count;
  }
  return pairs;
}

std::string pair_cell(const SweepResult& result, const PairCell& cell, std::string_view column) {
  const std::string label = cell.count == 1
                                ? escaped(column)
                                : fmt::format("{}, worst of {}", escaped(column), cell.count);
  return case_cell(result, *cell.worst, label);
}

}  // namespace

std::string occurrence_matrix(const SweepResult& result) {
  const Strips strips = strips_of(result);
  if (strips.empty()) return {};
  std::string text = fmt::format(
      "<section id=\"matrix\">\n<h2>Sites and occurrences</h2>\n"
      "<p class=\"hint\">Each cell is a case: the occurrence of the site, counted in the clean "
      "run, that was made to fail. An empty one was not run.</p>\n"
      "<div class=\"scroll\"><table class=\"matrix\">\n<thead><tr><th scope=\"col\">Site</th>"
      "<th scope=\"col\">Fails</th><th scope=\"col\"><span class=\"unseen\">Occurrences</span>"
      "{}</th></tr></thead>\n",
      ruler(strips));
  for (auto at = strips.begin(); at != strips.end();) {
    const std::string_view site = at->first.site;
    const auto end =
        std::find_if(at, strips.end(), [site](const auto& row) { return row.first.site != site; });
    const CaseRecord& any = *at->second.begin()->second;
    text += fmt::format("<tbody data-text=\"{}\">\n", escaped(site));
    std::string first = row_head(result, any, static_cast<std::size_t>(std::distance(at, end)));
    for (; at != end; ++at) {
      text += fmt::format("<tr>{}<td>{}</td><td><div class=\"strip\">{}</div></td></tr>\n", first,
                          mode_text(at->first.times),
                          strip_cells(result, at->second, occurrences_of(result.sweep, site)));
      first.clear();
    }
    text += "</tbody>\n";
  }
  return text + "</table></div>\n</section>\n";
}

std::string pair_matrix(const SweepResult& result) {
  const Pairs pairs = pairs_of(result);
  if (pairs.empty()) return {};
  std::set<std::string_view> columns;
  for (const auto& [sites, cell] : pairs)
    columns.insert(sites.second);
  std::string text =
      "<section id=\"pairs\">\n<h2>Pairs of faults</h2>\n<p class=\"hint\">A row’s site fails "
      "first, then a column’s; empty where the failing run does not come there.</p>\n"
      "<div class=\"scroll\"><table class=\"pairs\">\n<thead><tr><th scope=\"col\">First</th>";
  for (const std::string_view column : columns)
    text += fmt::format("<th scope=\"col\"><code>{}</code></th>", escaped(column));
  text += "</tr></thead>\n<tbody>\n";
  for (auto at = pairs.begin(); at != pairs.end();) {
    const std::string_view row = at->first.first;
    text +=
        fmt::format(R"(<tr data-text="{0}"><th scope="row"><code>{0}</code></th>)", escaped(row));
    for (const std::string_view column : columns) {
      const bool here = at != pairs.end() && at->first == Pair{row, column};
      text += fmt::format("<td>{}</td>", here ? pair_cell(result, at->second, column) : "");
      if (here) ++at;
    }
    text += "</tr>\n";
  }
  return text + "</tbody>\n</table></div>\n</section>\n";
}

}  // namespace pkvmemu::campaign
