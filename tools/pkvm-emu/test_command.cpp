// SPDX-License-Identifier: GPL-2.0-only
#include "test_command.h"

#include <fmt/ranges.h>
#include <fnmatch.h>
#include <sched.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "output.h"
#include "outputs.h"
#include "support/file.h"
#include "work_processes.h"

namespace pkvmemu::tool {
namespace {

namespace fs = std::filesystem;
using observe::ExitCode;
using scenario::Scenario;

constexpr const char* footer = R"(Exit codes:
  0 all scenarios went as they expect   2 usage   3 a scenario cannot be read
  21 a scenario failed   70 our bug   130 interrupted

Examples:
  pkvm-emu test late-load.yaml
  pkvm-emu test scenarios/ --modules build/modules --filter 'load-*' --jobs 4 --junit results.xml
  pkvm-emu test scenarios/ --list)";

std::size_t processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return static_cast<std::size_t>(std::max(CPU_COUNT(&set), 1));
}

bool is_scenario(const fs::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml";
}

/// Of a folder all scenarios in it, by name.
Outcome<std::vector<std::string>> files_of(const std::vector<std::string>& inputs) {
  std::vector<std::string> files;
  for (const std::string& input : inputs) {
    std::error_code status;
    if (!fs::is_directory(input, status)) {
      files.push_back(input);
      continue;
    }
    std::vector<std::string> inside;
    for (fs::directory_iterator entry(input, status); !status && entry != fs::directory_iterator();
         entry.increment(status))
      if (is_scenario(entry->path())) inside.push_back(entry->path().string());
    if (status) return file_error("{}: cannot be read: {}", input, status.message());
    if (inside.empty()) return file_error("{}: there is no scenario (NAME.yaml) in it", input);
    std::ranges::sort(inside);
    std::ranges::move(inside, std::back_inserter(files));
  }
  return files;
}

Outcome<Scenario> read_scenario(const std::string& file) {
  constexpr std::uintmax_t largest = std::uintmax_t{1} << 20U;
  if (auto good = check_readable(file, largest); !good) return as_file_error(good.error());
  const auto bytes = read_file(file);
  if (!bytes) return as_file_error(bytes.error());
  std::string text(bytes->size(), '\0');
  std::ranges::transform(*bytes, text.begin(), [](std::byte b) { return static_cast<char>(b); });
  auto scenario = scenario::parse_scenario(text, file);
  if (!scenario) return as_file_error(scenario.error());
  if (const auto lines = rc_lines(*scenario); !lines) return std::unexpected(lines.error());
  return std::move(*scenario);
}

/// All of them, or everything that is wrong with them.
Outcome<std::vector<Scenario>> read_scenarios(const std::vector<std::string>& files) {
  std::vector<Scenario> scenarios;
  std::vector<std::string> problems;
  for (const std::string& file : files) {
    auto scenario = read_scenario(file);
    if (scenario)
      scenarios.push_back(std::move(*scenario));
    else
      problems.push_back(scenario.error().message);
  }
  if (!problems.empty()) return file_error("{}", fmt::join(problems, "\npkvm-emu: "));
  return scenarios;
}

/// What a process that ran a scenario left.
CaseResult result_of(const WorkEnd& end) {
  CaseResult result;
  result.interrupted = end.signal == SIGINT || end.signal == SIGTERM;
  if (result.interrupted) return result;
  if (end.signal)
    result.error = fmt::format(
        "the process that ran it ended by signal {} ({}): a bug of "
        "pkvm-emu's, please report",
        *end.signal, ::strsignal(*end.signal));
  else if (end.exit_code != 0)
    result.error = fmt::format("the process that ran it ended with code {}", end.exit_code);
  else
    result = result_from_json(end.answer);
  return result;
}

std::string_view word_for(const CaseResult& result) {
  if (result.interrupted) return "interrupted";
  return result.is_good() ? "ok" : "not ok";
}

void show(const CaseReport& report, Output& output, const Volume& volume) {
  if (volume.quiet && report.result.is_good()) return;
  using observe::Tone;
  const Tone tone = report.result.is_good() ? Tone::good : Tone::bad;
  const observe::VerdictLine head{
      tone, fmt::format("{:<7} {} {}", word_for(report.result), report.which.name(),
                        report.which.scenario->sentence)};
  output.verdict({&head, 1});
  if (report.result.interrupted) return;
  output.text(details_of(report));
  if (volume.verbose == 0) return;
  for (const std::string& line : report.result.console)
    output.text(fmt::format("  | {}\n", line));
}

void list(std::span<const Scenario> scenarios, Output& output) {
  for (const Scenario& each : scenarios)
    output.text(fmt::format("{:<32} {}\n", name_of(each), each.sentence));
}

ExitCode code_for(std::span<const CaseReport> reports) {
  const auto is_bad = [](const CaseReport& report) { return !report.result.is_good(); };
  return std::ranges::any_of(reports, is_bad) ? ExitCode::scenario_failed : ExitCode::good;
}

}  // namespace

TestCommand::TestCommand(CLI::App& app)
    : command_(app.add_subcommand("test", "Run scenarios and tell which fail")) {
  command_->add_option("FILE", inputs_, "Scenarios, or folders of them")->required()->type_name("");
  const auto option = [this](const char* name, std::string& value, const char* type,
                             const char* help) {
    command_->add_option(name, value, help)->type_name(type);
  };
  command_
      ->add_option("--modules", module_folders_,
                   "Look for modules here, too; in DIR/KMI first. May be repeated")
      ->allow_extra_args(false)
      ->type_name("DIR");
  option("--filter", filter_, "GLOB", "Only scenarios of this name, like 'load-*'");
  option("--kmi", kmi_, "KMI", "Only runs on this generation");
  command_->add_option("--jobs", jobs_, "So many at once (default: one for each processor)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1024}))
      ->type_name("N");
  option("--json", json_, "FILE", "Write the results as JSON");
  option("--junit", junit_, "FILE", "Write the results as JUnit XML");
  option("--tap", tap_, "FILE", "Write the results in the Test Anything Protocol");
  command_->add_flag("--list", list_, "Only list the scenarios")->disable_flag_override();
  command_->footer(footer);
}

Outcome<void> TestCommand::check_outputs(std::span<const std::string> files) const {
  const Paths inputs(files.begin(), files.end());
  for (const std::string& output : {json_, junit_, tap_})
    if (!output.empty())
      if (auto good = check_output(output, inputs); !good) return good;
  return {};
}

Outcome<std::vector<ScenarioCase>> TestCommand::cases(
    const std::vector<Scenario>& scenarios) const {
  if (!kmi_.empty() && !pkvm::generation_of_kmi(kmi_))
    return usage_error("--kmi {}: expected android14-6.1, android15-6.6 or android16-6.12", kmi_);
  std::vector<ScenarioCase> cases;
  for (const Scenario& scenario : scenarios)
    for (const ScenarioCase& one : cases_of(scenario, module_folders_))
      if (kmi_.empty() || pkvm::info(one.generation).kmi == kmi_) cases.push_back(one);
  if (cases.empty()) return usage_error("--kmi {}: no scenario is for it", kmi_);
  return cases;
}

Outcome<void> TestCommand::write_reports(std::span<const CaseReport> reports) const {
  const std::pair<const std::string&, std::string (*)(std::span<const CaseReport>)> writers[] = {
      {json_, test_json}, {junit_, test_junit}, {tap_, test_tap}};
  for (const auto& [file, text_of] : writers) {
    if (file.empty()) continue;
    if (auto written = write_file(file, std::string_view(text_of(reports))); !written)
      return as_file_error(written.error());
  }
  return {};
}

Outcome<ExitCode> TestCommand::execute(const Volume& volume) const {
  const auto files = files_of(inputs_);
  if (!files) return std::unexpected(files.error());
  if (auto good = check_outputs(*files); !good) return std::unexpected(good.error());
  auto scenarios = read_scenarios(*files);
  if (!scenarios) return std::unexpected(scenarios.error());
  // Into a list of their own: to assign to a YAML::Node, as std::erase_if would, is to change what
  // it refers to.
  std::vector<Scenario> kept;
  for (Scenario& scenario : *scenarios)
    if (filter_.empty() || ::fnmatch(filter_.c_str(), name_of(scenario).c_str(), 0) == 0)
      kept.push_back(std::move(scenario));
  *scenarios = std::move(kept);
  if (scenarios->empty()) return usage_error("--filter {}: no scenario has such a name", filter_);
  Output output(stdout, volume);
  if (list_) {
    list(*scenarios, output);
    return ExitCode::good;
  }
  const auto planned = cases(*scenarios);
  if (!planned) return std::unexpected(planned.error());

  std::vector<CaseReport> reports;
  const auto done = [&](std::size_t index, const WorkEnd& end) {
    reports.push_back({.which = (*planned)[index], .result = result_of(end)});
    show(reports.back(), output, volume);
    std::fflush(stdout);
  };
  const bool complete = do_work(
      {.count = planned->size(),
       .at_once = jobs_ == 0 ? processors() : jobs_,
       .work =
           [&](std::size_t index) { return to_json(run_case((*planned)[index], module_folders_)); },
       .done = done});
  const ExitCode code = code_for(reports);
  if (!volume.quiet || code != ExitCode::good) output.text(summary_of(reports) + "\n");
  if (auto written = write_reports(reports); !written) return std::unexpected(written.error());
  if (!complete)
    return std::unexpected(Failure{
        ExitCode::interrupted,
        fmt::format(
            "interrupted: {} of {} runs were not made or not ended",
            planned->size() - reports.size() +
                static_cast<std::size_t>(std::ranges::count_if(
                    reports, [](const CaseReport& each) { return each.result.interrupted; })),
            planned->size())});
  return code;
}

}  // namespace pkvmemu::tool
