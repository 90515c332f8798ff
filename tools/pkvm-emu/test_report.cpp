// SPDX-License-Identifier: GPL-2.0-only
#include "test_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace pkvmemu::tool {
namespace {

/// Each line behind the first begins with `margin`.
std::string indented(std::string_view text, std::string_view margin) {
  std::string result;
  for (const char c : text) {
    if (c == '\r') continue;
    result += c;
    if (c == '\n') result += margin;
  }
  return result;
}

std::size_t failures_in(std::span<const CaseReport> reports) {
  return static_cast<std::size_t>(std::ranges::count_if(
      reports, [](const CaseReport& report) { return !report.result.is_good(); }));
}

/// XML 1.0 has no control characters, not even escaped.
std::string xml(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default: {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (byte >= 0x20 && byte < 0x7f) || c == '\n' || c == '\t';
        result += plain ? c : '?';
      }
    }
  }
  return result;
}

/// One line of TAP's descriptions, in which '#' begins a directive.
std::string tap(std::string_view text) {
  std::string result(text);
  std::ranges::replace(result, '#', ' ');
  std::ranges::replace(result, '\n', ' ');
  return result;
}

}  // namespace

std::string details_of(const CaseReport& report) {
  const CaseResult& result = report.result;
  if (result.is_good()) return "";
  std::string text;
  if (!result.error.empty()) text += fmt::format("  {}\n", indented(result.error, "  "));
  for (const scenario::Mismatch& each : result.mismatches)
    text += fmt::format("  {}:{}:{}: {}\n    expected: {}\n    got:      {}\n",
                        report.which.scenario->file, each.at.line, each.at.column, each.subject,
                        indented(each.expected, "              "),
                        indented(each.got, "              "));
  if (!result.mismatches.empty()) {
    text += "  the run's verdict:\n";
    for (const std::string& line : result.verdict)
      text += fmt::format("    {}\n", line);
  }
  return text;
}

std::string summary_of(std::span<const CaseReport> reports) {
  std::set<const scenario::Scenario*> scenarios;
  for (const CaseReport& report : reports)
    scenarios.insert(report.which.scenario);
  const std::size_t bad = failures_in(reports);
  return fmt::format("{} scenario{}, {} run{}: {}", scenarios.size(),
                     scenarios.size() == 1 ? "" : "s", reports.size(),
                     reports.size() == 1 ? "" : "s",
                     bad == 0 ? "all ok" : fmt::format("{} not ok", bad));
}

std::string test_json(std::span<const CaseReport> reports) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const CaseReport& report : reports) {
    nlohmann::ordered_json mismatches = nlohmann::ordered_json::array();
    for (const scenario::Mismatch& each : report.result.mismatches)
      mismatches.push_back({{"subject", each.subject},
                            {"line", each.at.line},
                            {"column", each.at.column},
                            {"expected", each.expected},
                            {"got", each.got}});
    list.push_back({{"name", name_of(*report.which.scenario)},
                    {"generation", pkvm::info(report.which.generation).kmi},
                    {"file", report.which.scenario->file},
                    {"scenario", report.which.scenario->sentence},
                    {"ok", report.result.is_good()},
                    {"error", report.result.error},
                    {"mismatches", std::move(mismatches)},
                    {"verdict", report.result.verdict},
                    {"console", report.result.console},
                    {"instructions", report.result.instructions}});
  }
  constexpr int schema = 1;
  constexpr int indent = 2;
  const nlohmann::ordered_json all = {{"schema", schema}, {"runs", std::move(list)}};
  return all.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string test_junit(std::span<const CaseReport> reports) {
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites tests=\"{0}\" failures=\"{1}\">\n"
      "<testsuite name=\"pkvm-emu test\" tests=\"{0}\" failures=\"{1}\">\n",
      reports.size(), failures_in(reports));
  for (const CaseReport& report : reports) {
    text += fmt::format("<testcase classname=\"{}\" name=\"{}\" file=\"{}\">\n",
                        pkvm::info(report.which.generation).kmi,
                        xml(name_of(*report.which.scenario)), xml(report.which.scenario->file));
    if (!report.result.is_good())
      text += fmt::format("<failure message=\"{}\">{}</failure>\n",
                          xml(report.which.scenario->sentence), xml(details_of(report)));
    text += "</testcase>\n";
  }
  return text + "</testsuite>\n</testsuites>\n";
}

std::string test_tap(std::span<const CaseReport> reports) {
  std::string text = fmt::format("TAP version 13\n1..{}\n", reports.size());
  std::size_t number = 0;
  for (const CaseReport& report : reports) {
    ++number;
    text += fmt::format("{} {} - {} {}\n", report.result.is_good() ? "ok" : "not ok", number,
                        tap(report.which.name()), tap(report.which.scenario->sentence));
    const std::string details = details_of(report);
    if (!details.empty())
      text += fmt::format("# {}\n", indented(details.substr(0, details.size() - 1), "# "));
  }
  return text;
}

}  // namespace pkvmemu::tool
