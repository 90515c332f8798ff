// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/report_junit.h"

#include <fmt/format.h>

#include <span>
#include <string_view>

#include "campaign/report_text.h"
#include "campaign/summary.h"

namespace pkvmemu::campaign {
namespace {

std::string property(std::string_view name, std::string_view value) {
  return fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, escaped(value));
}

std::string properties(const SweepResult& result) {
  std::string text = "    <properties>\n";
  for (const std::string& module : result.sweep.modules)
    text += property("module", module);
  text += property("generation", result.sweep.generation);
  text += property("mode", result.sweep.mode);
  text += property("fingerprint", result.sweep.fingerprint);
  text += property("cases-not-run", std::to_string(cases_not_run(result)));
  for (const SiteRow& site : untried_sites(result))
    text += property("site-not-reached", site.name);
  return text + "    </properties>\n";
}

std::string lines_of(std::string_view title, std::span<const std::string> lines) {
  if (lines.empty()) return {};
  std::string text = fmt::format("{}:\n", title);
  for (const std::string& line : lines)
    text += fmt::format("  {}\n", escaped(line));
  return text;
}

std::string details(const SweepRecord& sweep, const CaseRecord& record) {
  std::string text;
  for (const Finding& finding : record.findings)
    text += fmt::format("{}: {}\n", escaped(finding.kind), escaped(finding.text));
  for (const FaultRecord& fault : record.faults) {
    text += fmt::format("fault: {}, {} {}\n", escaped(fault.site), occurrence_text(fault, sweep),
                        answer_text(fault));
    text += lines_of("in", fault.path);
    text += lines_of("code", fault.disassembly);
  }
  return text + lines_of("verdict", record.verdict) +
         fmt::format("replay: {}\n", escaped(replay_command(sweep, record)));
}

std::string testcase(const SweepRecord& sweep, const CaseRecord& record) {
  const std::string site = record.faults.empty() ? "sweep" : record.faults.front().site;
  const std::string head = fmt::format(R"(    <testcase classname="{}" name="{}" time="0")",
                                       escaped(site), escaped(record.id));
  if (!is_finding(record.outcome)) return head + "/>\n";
  const std::string_view element = record.outcome == Outcome::lost ? "error" : "failure";
  std::string text =
      head + fmt::format(">\n      <{0} type=\"{1}\" message=\"{2}\">{3}</{0}>\n", element,
                         name_of(record.outcome), escaped(record.why), details(sweep, record));
  if (!record.log.empty())
    text += fmt::format("      <system-out>{}</system-out>\n", lines_of("console", record.log));
  return text + "    </testcase>\n";
}

}  // namespace

std::string to_junit(const SweepResult& result) {
  const std::size_t errors =
      count_outcomes(result.cases).at(static_cast<std::size_t>(Outcome::lost));
  const std::string counts =
      fmt::format(R"(tests="{}" failures="{}" errors="{}")", result.cases.size(),
                  count_findings(result.cases) - errors, errors);
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  text += fmt::format("<testsuites name=\"pkvm-emu sweep\" {} time=\"0\">\n", counts);
  text += fmt::format("  <testsuite name=\"{}\" {} skipped=\"0\" time=\"0\">\n",
                      escaped(subject_text(result.sweep)), counts);
  text += properties(result);
  for (const CaseRecord& record : result.cases)
    text += testcase(result.sweep, record);
  return text + "  </testsuite>\n</testsuites>\n";
}

}  // namespace pkvmemu::campaign
