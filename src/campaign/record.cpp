// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/record.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "campaign/id_order.h"

namespace pkvmemu::campaign {
namespace {

constexpr std::array<std::string_view, outcome_count> outcome_names = {
    "clean", "expected-error", "bug", "panic", "hang", "lost"};

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

/// What the files say so far; errors name the place that was read last.
class Merger {
 public:
  Result<void> add(const NamedText& file) {
    file_ = file.name;
    line_ = 0;
    begun_ = false;
    for (std::string_view rest = file.text; !rest.empty();) {
      const std::size_t end = rest.find('\n');
      const std::string_view line = rest.substr(0, end);
      ++line_;
      const bool last = end == std::string_view::npos;
      // No beginning of an object is an object.
      if (last && !nlohmann::json::accept(line)) break;
      if (auto added = add_line(line); !added)
        return fail("{}:{}: {}", file_, line_, added.error().message);
      rest.remove_prefix(last ? rest.size() : end + 1);
    }
    return {};
  }

  Result<SweepResult> result() && {
    if (sweep_place_.empty())
      return fail("{}: nothing in it says what was swept: is it a sweep's?",
                  file_.empty() ? "no file" : file_);
    SweepResult result{.sweep = std::move(sweep_), .cases = {}};
    result.cases.reserve(cases_.size());
    for (auto& [id, record] : cases_)
      result.cases.push_back(std::move(record));
    return result;
  }

 private:
  Result<void> add_line(std::string_view text) {
    if (is_blank(text)) return {};
    auto line = parse_line(text);
    if (!line) return std::unexpected(std::move(line.error()));
    if (auto* const sweep = std::get_if<SweepRecord>(&*line)) return add_sweep(std::move(*sweep));
    return add_case(std::move(std::get<CaseRecord>(*line)));
  }

  Result<void> add_sweep(SweepRecord sweep) {
    if (!sweep_place_.empty() && sweep.fingerprint != sweep_.fingerprint)
      return fail(
          "another sweep than that of {} (modules, firmware or options differ): records of two "
          "sweeps cannot be put together",
          sweep_place_);
    if (sweep_place_.empty()) {
      sweep_ = std::move(sweep);
      sweep_place_ = fmt::format("{}:{}", file_, line_);
    }
    begun_ = true;
    return {};
  }

  Result<void> add_case(CaseRecord record) {
    if (!begun_) return fail("a case stands before the line that says what was swept");
    std::string id = record.id;
    cases_.insert_or_assign(std::move(id), std::move(record));
    return {};
  }

  std::string file_;
  std::size_t line_ = 0;
  bool begun_ = false;  ///< this file has said what was swept
  SweepRecord sweep_;
  std::string sweep_place_;  ///< "FILE:LINE" of sweep_; empty: none yet
  std::map<std::string, CaseRecord, IdOrder> cases_;
};

}  // namespace

std::string_view name_of(Outcome outcome) {
  return outcome_names.at(static_cast<std::size_t>(outcome));
}

std::optional<Outcome> outcome_of(std::string_view name) {
  const auto* const found = std::ranges::find(outcome_names, name);
  if (found == outcome_names.end()) return std::nullopt;
  return static_cast<Outcome>(found - outcome_names.begin());
}

std::string_view whole_lines(std::string_view text) {
  const std::size_t end = text.rfind('\n');
  return end == std::string_view::npos ? std::string_view{} : text.substr(0, end + 1);
}

Result<SweepResult> merge(std::span<const NamedText> files) {
  Merger merger;
  for (const NamedText& file : files)
    if (auto added = merger.add(file); !added) return std::unexpected(std::move(added.error()));
  return std::move(merger).result();
}

}  // namespace pkvmemu::campaign
