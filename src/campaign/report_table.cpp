// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/report_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "campaign/report_text.h"
#include "campaign/summary.h"

namespace pkvmemu::campaign {
namespace {

constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view colour_off = "\x1b[0m";
/// Green, red, yellow and magenta are what terminals have and users can choose.
constexpr std::array<std::string_view, outcome_count> outcome_colours = {
    "", "\x1b[32m", "\x1b[1;31m", "\x1b[1;35m", "\x1b[1;33m", "\x1b[1;33m"};

/// The cells of a line; the last column has no width.
struct Row {
  std::string site;
  std::string occurrence;
  std::string answer;
  std::string outcome;
  std::string why;
  std::string_view colour{};
  std::string below{};  ///< a line of its own under it
};

/// "1-3, 7" of ascending numbers, "1-3, 7, 9, 12-13, ..." of very many.
std::string ranges_text(std::span<const std::uint64_t> numbers) {
  constexpr std::size_t most = 4;
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < numbers.size();) {
    if (parts.size() == most) {
      parts.emplace_back("...");
      break;
    }
    std::size_t last = begin;
    while (last + 1 < numbers.size() && numbers[last + 1] - numbers[last] <= 1)
      ++last;
    parts.push_back(numbers[begin] == numbers[last]
                        ? fmt::format("{}", numbers[begin])
                        : fmt::format("{}-{}", numbers[begin], numbers[last]));
    begin = last + 1;
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// Good cases of one line: of one site, of as many faults, each as often, that came to the same.
struct Fold {
  const CaseRecord* first = nullptr;
  std::vector<std::uint64_t> nths;
};
using FoldKey = std::tuple<std::string_view, std::size_t, std::uint64_t, std::int64_t, Outcome,
                           std::string_view>;

FoldKey key_of(const CaseRecord& record) {
  if (record.faults.empty()) return {record.id, 0, 0, 0, record.outcome, record.why};
  const FaultRecord& fault = record.faults.front();
  // What pairs come to depends on the second fault: by outcome alone, or nothing would fold.
  if (record.faults.size() > 1)
    return {fault.site, record.faults.size(), fault.times, 0, record.outcome, ""};
  return {fault.site, 1, fault.times, fault.answer, record.outcome, record.why};
}

class Table {
 public:
  Table(const SweepResult& result, Colour colour) : result_(result), colour_(colour) {}

  std::string run(Detail detail) {
    if (detail != Detail::findings) {
      line(fmt::format("{}{}{}", code(bold), "sweep of " + printable(subject_text(result_.sweep)),
                       code(colour_off)));
      line("");
      rows(detail == Detail::everything ? each_case() : folded());
      untried(detail);
    }
    for (const Alike& alike : alike_findings(result_))
      findings(alike, detail);
    if (detail != Detail::findings || count_findings(result_.cases) != 0) sum();
    return std::move(text_);
  }

 private:
  void line(std::string_view text) {
    text_ += text;
    text_ += '\n';
  }

  [[nodiscard]] std::string_view code(std::string_view sequence) const {
    return colour_ == Colour::on ? sequence : std::string_view{};
  }

  [[nodiscard]] Row row_of(const CaseRecord& record) const {
    Row row{.site = printable(record.id),
            .occurrence = {},
            .answer = {},
            .outcome = std::string(name_of(record.outcome)),
            .why = printable(record.why),
            .colour = outcome_colours.at(static_cast<std::size_t>(record.outcome))};
    if (record.faults.empty()) return row;
    const FaultRecord& fault = record.faults.front();
    row.site = printable(fault.site);
    row.occurrence = occurrence_text(fault, result_.sweep);
    row.answer = answer_text(fault);
    return row;
  }

  [[nodiscard]] std::vector<Row> each_case() const {
    std::vector<Row> rows;
    for (const CaseRecord& record : result_.cases) {
      Row row = row_of(record);
      std::vector<std::string> lines;
      for (const FaultRecord& fault : record.faults) {
        if (&fault != &record.faults.front())
          lines.push_back(fmt::format("    and {}, {}, {}", printable(fault.site),
                                      occurrence_text(fault, result_.sweep), answer_text(fault)));
        if (!fault.path.empty())
          lines.push_back("    in " + printable(fmt::format("{}", fmt::join(fault.path, " < "))));
      }
      row.below = fmt::format("{}", fmt::join(lines, "\n"));
      rows.push_back(std::move(row));
    }
    return rows;
  }

  [[nodiscard]] std::vector<Row> folded() const {
    std::map<FoldKey, Fold> folds;
    for (const CaseRecord& record : result_.cases) {
      if (is_finding(record.outcome)) continue;
      Fold& fold = folds[key_of(record)];
      if (fold.first == nullptr) fold.first = &record;
      fold.nths.push_back(record.faults.empty() ? 1 : record.faults.front().nth);
    }
    std::vector<Row> rows;
    for (auto& [key, fold] : folds)
      rows.push_back(row_of(fold));
    return rows;
  }

  [[nodiscard]] Row row_of(const Fold& fold) const {
    constexpr std::size_t longest_why = 100;
    Row row = row_of(*fold.first);
    row.why = shortened(std::move(row.why), longest_why);
    if (fold.first->faults.size() > 1) {
      row.site += " and another";
      row.occurrence = counted(fold.nths.size(), "case");
      row.answer.clear();
      if (fold.nths.size() > 1) row.why.clear();
      return row;
    }
    if (!fold.first->faults.empty())
      row.occurrence =
          occurrence_text(ranges_text(fold.nths), fold.first->faults.front(), result_.sweep);
    return row;
  }

  void rows(const std::vector<Row>& rows) {
    if (rows.empty()) return;
    const Row heads{"SITE", "OCCURRENCE", "ANSWER", "OUTCOME", "WHY"};
    const auto width = [&](std::string Row::* member) {
      std::size_t most = (heads.*member).size();
      for (const Row& row : rows)
        most = std::max(most, (row.*member).size());
      return most;
    };
    const std::array widths = {width(&Row::site), width(&Row::occurrence), width(&Row::answer),
                               width(&Row::outcome)};
    const auto put = [&](const Row& row) {
      line(fmt::format(
          "{:<{}}  {:<{}}  {:<{}}  {}{:<{}}{}{}{}", row.site, widths[0], row.occurrence, widths[1],
          row.answer, widths[2], code(row.colour), row.outcome, row.why.empty() ? 0 : widths[3],
          row.colour.empty() ? "" : code(colour_off), row.why.empty() ? "" : "  ", row.why));
      if (!row.below.empty()) line(row.below);
    };
    put(heads);
    std::ranges::for_each(rows, put);
    line("");
  }

  void untried(Detail detail) {
    const std::vector<SiteRow> sites = untried_sites(result_);
    if (sites.empty()) return;
    line(fmt::format("No case reached {}:", counted(sites.size(), "site")));
    if (detail == Detail::everything)
      each_untried(sites);
    else
      untried_names(sites);
    line("");
  }

  void each_untried(std::span<const SiteRow> sites) {
    std::size_t width = 0;
    for (const SiteRow& site : sites)
      width = std::max(width, site.name.size());
    for (const SiteRow& site : sites)
      line(fmt::format("  {:<{}}  {}", printable(site.name), width, printable(site.meaning)));
  }

  /// In lines of a terminal's width.
  void untried_names(std::span<const SiteRow> sites) {
    constexpr std::size_t widest = 98;
    std::string row = " ";
    for (const SiteRow& site : sites) {
      const std::string name = printable(site.name) + (&site == &sites.back() ? "" : ",");
      if (row.size() + 1 + name.size() > widest && row != " ") line(std::exchange(row, " "));
      row += " " + name;
    }
    line(row);
  }

  void findings(const Alike& alike, Detail detail) {
    if (detail == Detail::everything) {
      for (const CaseRecord* record : alike)
        finding(*record);
      return;
    }
    finding(*alike.front());
    if (alike.size() == 1) return;
    text_.pop_back();  // the empty line
    constexpr std::size_t most_named = 8;
    std::vector<std::string> ids;
    for (const CaseRecord* record : std::span(alike).subspan(1))
      if (ids.size() < most_named) ids.push_back(printable(record->id));
    const std::size_t unnamed = alike.size() - 1 - ids.size();
    field("alike", fmt::format("{}{}; --all shows each", fmt::join(ids, ", "),
                               unnamed == 0 ? "" : fmt::format(" and {} more", unnamed)));
    line("");
  }

  void finding(const CaseRecord& record) {
    line(fmt::format("{}{}: {}{}",
                     code(outcome_colours.at(static_cast<std::size_t>(record.outcome))),
                     name_of(record.outcome), printable(record.id), code(colour_off)));
    if (!record.why.empty()) field("why", printable(record.why));
    for (const Finding& one : record.findings)
      field("found", fmt::format("{}: {}", printable(one.kind), printable(one.text)));
    for (const FaultRecord& fault : record.faults) {
      field("fault", fault_line(fault));
      block("in", fault.path);
      block("code", fault.disassembly);
    }
    block("verdict", record.verdict);
    block("log", record.log);
    field("replay", printable(replay_command(result_.sweep, record)));
    line("");
  }

  [[nodiscard]] std::string fault_line(const FaultRecord& fault) const {
    const std::string answer = answer_text(fault);
    return fmt::format("{}, {}{}{}", printable(fault.site), occurrence_text(fault, result_.sweep),
                       answer.empty() ? "" : ": answers " + answer,
                       fault.meaning.empty() ? "" : "; " + printable(fault.meaning));
  }

  void field(std::string_view name, std::string_view text) {
    line(fmt::format("  {:<8} {}", name, text));
  }

  void block(std::string_view name, std::span<const std::string> lines) {
    for (const std::string& one : lines)
      field(&one == lines.data() ? name : "", printable(one));
  }

  void sum() {
    const bool good = count_findings(result_.cases) == 0;
    const Outcome tone = good ? Outcome::expected_error : Outcome::bug;
    line(fmt::format("{}{}: {}{}", code(outcome_colours.at(static_cast<std::size_t>(tone))),
                     counted(result_.cases.size(), "case"), outcomes_text(result_),
                     code(colour_off)));
    if (const auto left = cases_not_run(result_); left != 0)
      line(
          fmt::format("{} of {} were NOT run: the sweep was stopped, or files of other workers or "
                      "shards are missing",
                      left, counted(result_.sweep.cases, "case")));
  }

  const SweepResult& result_;
  Colour colour_;
  std::string text_;
};

}  // namespace

std::string to_table(const SweepResult& result, Detail detail, Colour colour) {
  return Table(result, colour).run(detail);
}

}  // namespace pkvmemu::campaign
