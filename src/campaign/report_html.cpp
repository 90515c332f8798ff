// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/report_html.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "campaign/report_html_parts.h"
#include "campaign/report_text.h"
#include "campaign/summary.h"

namespace pkvmemu::campaign {
namespace {

constexpr std::array<OutcomeMark, outcome_count> marks = {{
    {.symbol = "·", .style = "clean", .meaning = "nothing came of the fault"},
    {.symbol = "✓",
     .style = "expected",
     .meaning = "the load or the VM failed, and all that has to hold then holds"},
    {.symbol = "✗", .style = "bug", .meaning = "something does not hold"},
    {.symbol = "!", .style = "panic", .meaning = "the hypervisor or the host kernel panicked"},
    {.symbol = "∞", .style = "hang", .meaning = "no end: budget spent, wedged or halted"},
    {.symbol = "?", .style = "lost", .meaning = "pkvm-emu’s worker died: a bug of its own"},
}};

/// The page is told to load nothing, whatever stands in it.
constexpr std::string_view policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'";

std::string head(const std::string& subject, std::string_view verdict) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<title>{}: sweep of {}</title>\n<style>\n{}</style>\n</head>\n",
      policy, verdict, subject, page_style);
}

std::string verdict_of(const SweepResult& result) {
  const std::size_t findings = count_findings(result.cases);
  if (result.cases.empty()) return "Nothing was run";
  return findings == 0 ? "No findings" : counted(findings, "finding");
}

std::string verdict_style(const SweepResult& result) {
  if (count_findings(result.cases) != 0) return "bad";
  return result.cases.empty() || cases_not_run(result) != 0 ? "doubtful" : "good";
}

/// Counts, and at the same time the legend and, where there is a script, the filter.
std::string tiles(const SweepResult& result) {
  const Counts counts = count_outcomes(result.cases);
  std::string text = "<ul class=\"tiles\">\n";
  for (const Outcome outcome : telling_order) {
    const auto index = static_cast<std::size_t>(outcome);
    const OutcomeMark& mark = mark_of(outcome);
    text += fmt::format(
        "<li class=\"tile{}\" data-toggle=\"{}\"><span class=\"cell {}\" "
        "aria-hidden=\"true\">{}</span> <b>{}</b> {}<small>{}</small></li>\n",
        counts.at(index) == 0 ? " none" : "", mark.style, mark.style, mark.symbol, counts.at(index),
        name_of(outcome), mark.meaning);
  }
  return text + "</ul>\n";
}

std::string notes(const SweepResult& result) {
  const auto left = cases_not_run(result);
  if (left == 0) return {};
  return fmt::format(
      "<p class=\"note\"><b>{} of {} were not run</b>: the sweep was stopped, or files of other "
      "workers or shards are missing.</p>\n",
      left, counted(result.sweep.cases, "case"));
}

std::string untried(const SweepResult& result) {
  const auto sites = untried_sites(result);
  if (sites.empty()) return {};
  std::string text = fmt::format(
      "<section id=\"untried\">\n<h2>Sites that no case reached <small>{}</small></h2>\n"
      "<table class=\"plain\">\n<thead><tr><th scope=\"col\">Site</th><th "
      "scope=\"col\">What fails there</th></tr></thead>\n<tbody>\n",
      sites.size());
  for (const SiteRow& site : sites)
    text += fmt::format(
        "<tr data-text=\"{0}\"><th scope=\"row\"><code>{0}</code></th><td>{1}</td></tr>\n",
        escaped(site.name), escaped(site.meaning));
  return text + "</tbody>\n</table>\n</section>\n";
}

std::string footer(const SweepRecord& sweep) {
  std::string command;
  for (const std::string& word : sweep.replay)
    command += (command.empty() ? "" : " ") + word;
  return fmt::format(
      "<footer>\n<p>Swept by <code>{}</code>, fingerprint <code>{}</code>. Any one case runs again "
      "with <code>--replay</code> and its name.</p>\n</footer>\n",
      escaped(command), escaped(sweep.fingerprint));
}

constexpr std::string_view filter =
    "<form id=\"filter\" hidden>\n<label>Filter <input type=\"search\" "
    "placeholder=\"site, function, reason\"></label> <output></output>\n</form>\n";

}  // namespace

const OutcomeMark& mark_of(Outcome outcome) {
  return marks.at(static_cast<std::size_t>(outcome));
}

std::string badge(Outcome outcome) {
  const OutcomeMark& mark = mark_of(outcome);
  return fmt::format("<span class=\"badge {}\">{} {}</span>", mark.style, mark.symbol,
                     name_of(outcome));
}

std::string anchor_of(const SweepResult& result, const CaseRecord& record) {
  return fmt::format("case-{}", &record - result.cases.data() + 1);
}

std::string to_html(const SweepResult& result) {
  const std::string subject = escaped(subject_text(result.sweep));
  const std::string verdict = verdict_of(result);
  std::string text = head(subject, verdict);
  text += fmt::format(
      "<body>\n<header>\n<p class=\"kicker\">pkvm-emu sweep</p>\n<h1>{}</h1>\n"
      "<p class=\"verdict {}\">{} <span>in {}</span></p>\n</header>\n<main>\n",
      subject, verdict_style(result), verdict, counted(result.cases.size(), "case"));
  text += notes(result);
  text += tiles(result);
  text += filter;
  text += occurrence_matrix(result);
  text += pair_matrix(result);
  text += untried(result);
  text += findings_section(result);
  text += other_cases_section(result);
  text += "</main>\n" + footer(result.sweep);
  text += fmt::format("<script>\n{}</script>\n</body>\n</html>\n", page_script);
  return text;
}

}  // namespace pkvmemu::campaign
