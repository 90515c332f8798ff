// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/report_tap.h"

#include <fmt/format.h>

#include <span>
#include <string_view>
#include <vector>

#include "campaign/report_text.h"
#include "campaign/summary.h"

namespace pkvmemu::campaign {
namespace {

/// '#' begins a directive, '\' what TAP escapes with.
std::string description(std::string_view text) {
  std::string result;
  for (const char c : printable(text)) {
    if (c == '#' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

/// A double-quoted scalar; what is printable has no other characters to escape.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\t')
      result += "\\t";
    else
      result += c;
  }
  return result + "\"";
}

/// Keys and values in YAML, `depth` spaces in.
class Yaml {
 public:
  void put(std::string_view key, std::string_view value) {
    if (!value.empty()) line(fmt::format("{}: {}", key, quoted(value)));
  }

  void put(std::string_view key, std::span<const std::string> values) {
    if (values.empty()) return;
    line(fmt::format("{}:", key));
    for (const std::string& value : values)
      line(fmt::format("  - {}", quoted(value)));
  }

  [[nodiscard]] std::string block() const { return "  ---\n" + text_ + "  ...\n"; }

 private:
  void line(std::string_view text) { text_ += fmt::format("  {}\n", text); }

  std::string text_;
};

std::string diagnostics(const SweepRecord& sweep, const CaseRecord& record) {
  Yaml yaml;
  yaml.put("outcome", name_of(record.outcome));
  yaml.put("message", record.why);
  std::vector<std::string> lines;
  for (const Finding& finding : record.findings)
    lines.push_back(fmt::format("{}: {}", finding.kind, finding.text));
  yaml.put("findings", lines);
  lines.clear();
  std::vector<std::string> path;
  std::vector<std::string> code;
  for (const FaultRecord& fault : record.faults) {
    lines.push_back(
        fmt::format("{}, {} {}", fault.site, occurrence_text(fault, sweep), answer_text(fault)));
    path.insert(path.end(), fault.path.begin(), fault.path.end());
    code.insert(code.end(), fault.disassembly.begin(), fault.disassembly.end());
  }
  yaml.put("faults", lines);
  yaml.put("path", path);
  yaml.put("code", code);
  yaml.put("verdict", record.verdict);
  yaml.put("log", record.log);
  yaml.put("replay", replay_command(sweep, record));
  return yaml.block();
}

}  // namespace

std::string to_tap(const SweepResult& result) {
  std::string text = "TAP version 14\n";
  text += fmt::format("# sweep of {}\n", printable(subject_text(result.sweep)));
  if (result.cases.empty()) return text + "1..0 # SKIP no case was run\n";
  text += fmt::format("1..{}\n", result.cases.size());
  std::size_t number = 0;
  for (const CaseRecord& record : result.cases) {
    const bool finding = is_finding(record.outcome);
    text += fmt::format("{} {} - {}: {}\n", finding ? "not ok" : "ok", ++number,
                        description(record.id), name_of(record.outcome));
    if (finding) text += diagnostics(result.sweep, record);
  }
  for (const SiteRow& site : untried_sites(result))
    text +=
        fmt::format("# no case reached {}: {}\n", printable(site.name), printable(site.meaning));
  if (const auto left = cases_not_run(result); left != 0)
    text += fmt::format("# {} of {} were not run\n", left, counted(result.sweep.cases, "case"));
  return text;
}

}  // namespace pkvmemu::campaign
