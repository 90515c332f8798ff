// SPDX-License-Identifier: GPL-2.0-only
#include <fmt/format.h>

#include <span>

#include "campaign/report_html_parts.h"
#include "campaign/report_text.h"
#include "campaign/summary.h"

namespace pkvmemu::campaign {
namespace {

std::string term(std::string_view name, std::string_view html) {
  return html.empty() ? std::string{} : fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, html);
}

std::string pre(std::span<const std::string> lines) {
  if (lines.empty()) return {};
  std::string text = "<pre>";
  for (const std::string& line : lines)
    text += escaped(line) + "\n";
  return text + "</pre>";
}

std::string path_list(std::span<const std::string> path) {
  if (path.empty()) return {};
  std::string text = "<ol class=\"path\">";
  for (const std::string& caller : path)
    text += fmt::format("<li><code>{}</code></li>", escaped(caller));
  return text + "</ol>";
}

std::string findings_list(std::span<const Finding> findings) {
  if (findings.empty()) return {};
  std::string text = "<ul class=\"found\">";
  for (const Finding& finding : findings)
    text += fmt::format("<li><b>{}</b> {}</li>", escaped(finding.kind), escaped(finding.text));
  return text + "</ul>";
}

std::string fault_line(const SweepRecord& sweep, const FaultRecord& fault) {
  const std::string answer = answer_text(fault);
  std::string text =
      fmt::format("<code>{}</code>, {}", escaped(fault.site), occurrence_text(fault, sweep));
  if (!answer.empty()) text += fmt::format(": answers <b>{}</b>", answer);
  if (!fault.meaning.empty()) text += fmt::format(" <small>{}</small>", escaped(fault.meaning));
  return text;
}

std::string replay_line(const SweepRecord& sweep, const CaseRecord& record) {
  return fmt::format("<pre class=\"replay\">{}</pre>", escaped(replay_command(sweep, record)));
}

std::string finding_details(const SweepResult& result, const CaseRecord& record, bool open) {
  std::string text =
      fmt::format("<details id=\"{}\"{}>\n<summary><code>{}</code></summary>\n<dl>\n",
                  anchor_of(result, record), open ? " open" : "", escaped(record.id));
  text += term("Found", findings_list(record.findings));
  text += term("Replay", replay_line(result.sweep, record));
  for (const FaultRecord& fault : record.faults) {
    text += term("Fault", fault_line(result.sweep, fault));
    text += term("Call path", path_list(fault.path));
    text += term("Code", pre(fault.disassembly));
  }
  text += term("Verdict", pre(record.verdict));
  text += term("Console", pre(record.log));
  text += term("Exit code", fmt::format("{} of <code>pkvm-emu run</code>, after {} instructions",
                                        record.exit_code, record.instructions));
  return text + "</dl>\n</details>\n";
}

/// What the filter looks at.
std::string filter_text(const CaseRecord& record) {
  std::string text = record.id + " " + record.why;
  for (const Finding& finding : record.findings)
    text += " " + finding.kind;
  for (const FaultRecord& fault : record.faults)
    for (const std::string& caller : fault.path)
      text += " " + caller;
  return escaped(text);
}

std::string article(const SweepResult& result, const Alike& alike) {
  const CaseRecord& first = *alike.front();
  std::string words;
  for (const CaseRecord* record : alike)
    words += filter_text(*record) + " ";
  std::string text = fmt::format(
      "<article data-outcome=\"{}\" data-text=\"{}\">\n<h3>{} {}{}</h3>\n",
      mark_of(first.outcome).style, words, badge(first.outcome), escaped(first.why),
      alike.size() == 1 ? "" : fmt::format(" <small>in {} cases</small>", alike.size()));
  for (const CaseRecord* record : alike)
    text += finding_details(result, *record, record == &first);
  return text + "</article>\n";
}

std::string case_row(const SweepResult& result, const CaseRecord& record) {
  std::string answers;
  std::string paths;
  for (const FaultRecord& fault : record.faults) {
    answers += (answers.empty() ? "" : ", ") + answer_text(fault);
    if (fault.path.empty()) continue;
    paths += "<small>";
    for (const std::string& caller : fault.path)
      paths += fmt::format("{}<code>{}</code>",
                           paths.ends_with('>') && !paths.ends_with("<small>") ? " ← " : "",
                           escaped(caller));
    paths += "</small>";
  }
  return fmt::format(
      "<tr id=\"{}\" data-outcome=\"{}\" data-text=\"{}\"><th "
      "scope=\"row\"><code>{}</code></th><td>{}</td><td>{}</td><td>{}{}</td></tr>\n",
      anchor_of(result, record), mark_of(record.outcome).style, filter_text(record),
      escaped(record.id), escaped(answers), badge(record.outcome), escaped(record.why), paths);
}

}  // namespace

std::string findings_section(const SweepResult& result) {
  const auto groups = alike_findings(result);
  if (groups.empty()) return {};
  std::string text = fmt::format("<section id=\"findings\">\n<h2>Findings <small>{}</small></h2>\n",
                                 count_findings(result.cases));
  for (const Alike& alike : groups)
    text += article(result, alike);
  return text + "</section>\n";
}

std::string other_cases_section(const SweepResult& result) {
  const std::size_t count = result.cases.size() - count_findings(result.cases);
  if (count == 0) return {};
  std::string text = fmt::format(
      "<section id=\"others\">\n<h2>All other cases <small>{}</small></h2>\n"
      "<table class=\"plain\">\n<thead><tr><th scope=\"col\">Case</th><th "
      "scope=\"col\">Answers</th><th scope=\"col\">Outcome</th><th scope=\"col\">Why, and who "
      "called</th></tr></thead>\n<tbody>\n",
      count);
  for (const CaseRecord& record : result.cases)
    if (!is_finding(record.outcome)) text += case_row(result, record);
  return text + "</tbody>\n</table>\n</section>\n";
}

}  // namespace pkvmemu::campaign
