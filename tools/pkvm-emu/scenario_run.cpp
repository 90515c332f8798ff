// SPDX-License-Identifier: GPL-2.0-only
#include "scenario_run.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

#include "build/process.h"
#include "build/temp_dir.h"
#include "inline_module.h"
#include "module_file.h"
#include "observe/verdict.h"
#include "pkvm/platform.h"
#include "prepared_run.h"
#include "rc.h"
#include "script/world.h"

namespace pkvmemu::tool {
namespace {

namespace fs = std::filesystem;
using scenario::ModuleKind;
using scenario::Scenario;

std::string place(const Scenario& scenario, scenario::Mark at) {
  return fmt::format("{}:{}:{}", scenario.file, at.line, at.column);
}

/// Where a file of a scenario may be: beside it, then in the folders that were named; in each first
/// in the generation's own folder.
std::vector<fs::path> places_of(const Scenario& scenario, std::string_view name,
                                pkvm::Generation generation, std::span<const std::string> folders) {
  if (fs::path(name).is_absolute()) return {fs::path(name)};
  std::vector<fs::path> places;
  const auto add = [&](const fs::path& folder) {
    places.push_back(folder / pkvm::info(generation).kmi / name);
    places.push_back(folder / name);
  };
  add(fs::path(scenario.file).parent_path());
  for (const std::string& folder : folders)
    add(folder);
  return places;
}

std::optional<std::string> find_file(std::span<const fs::path> places) {
  const auto found = std::ranges::find_if(places, [](const fs::path& path) {
    std::error_code status;
    return fs::exists(path, status);
  });
  if (found == places.end()) return std::nullopt;
  return found->string();
}

/// Ctrl-C ends compilers and the machine; whoever started us hears of it.
class StopsOnSignal {
 public:
  StopsOnSignal() {
    struct sigaction action = {};
    action.sa_handler = [](int) {
      was_seen = 1;
      build::stop_processes();
      if (machine::Machine* const current = running.load()) current->request_stop();
    };
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
  }
  static void watch(machine::Machine* machine) {
    running.store(machine);
    if (was_seen != 0 && machine != nullptr) machine->request_stop();
  }
  static bool seen() { return was_seen != 0; }

 private:
  static inline std::atomic<machine::Machine*> running{nullptr};
  static inline volatile std::sig_atomic_t was_seen = 0;
};

using Parser = Result<RcLine> (*)(std::string_view);
struct VerbRow {
  std::string_view verb;
  Parser parse;
};

Result<RcLine> parse_late(std::string_view text) {
  if (text.empty()) return fail("expected a module");
  RcLine line;
  line.verb = RcVerb::late;
  line.target = text;
  return line;
}

constexpr std::array verb_rows = {
    VerbRow{"call", parse_call},
    VerbRow{"hvc", parse_hvc},
    VerbRow{"smc", parse_smc},
    VerbRow{"psci", parse_psci},
    VerbRow{"touch", parse_touch},
    VerbRow{"late", parse_late},
    VerbRow{"pvm", [](std::string_view text) { return parse_guest(RcVerb::pvm, text); }},
    VerbRow{"vm", [](std::string_view text) { return parse_guest(RcVerb::vm, text); }},
    VerbRow{"attack", parse_attack},
};
static_assert(verb_rows.size() == scenario::wish_verbs.size());

/// Turns a scenario into the options of a run.
class CaseOptions {
 public:
  CaseOptions(const ScenarioCase& one, std::span<const std::string> folders, fs::path scratch)
      : scenario_(*one.scenario),
        generation_(one.generation),
        folders_(folders),
        scratch_(std::move(scratch)) {}

  Outcome<RunOptions> make() {
    if (auto built = build_modules(); !built) return std::unexpected(built.error());
    auto wishes = rc_lines(scenario_);
    if (!wishes) return std::unexpected(wishes.error());
    options_.wishes = std::move(*wishes);
    if (auto named = name_late_modules(); !named) return std::unexpected(named.error());
    if (auto added = add_modules(); !added) return std::unexpected(added.error());
    if (auto added = add_other_files(); !added) return std::unexpected(added.error());
    if (auto added = add_memory(); !added) return std::unexpected(added.error());
    if (auto added = add_devices(); !added) return std::unexpected(added.error());
    options_.faults = scenario_.faults;
    options_.own_plan = scenario_.plan;
    options_.cmdline =
        fmt::format("{}={}", pkvm::platform::param_generation, pkvm::info(generation_).kmi);
    if (!scenario_.cmdline.empty()) options_.cmdline += " " + scenario_.cmdline;
    options_.as_shipped = scenario_.as_shipped;
    options_.no_iommu = scenario_.no_iommu;
    options_.no_pvm = scenario_.no_pvm;
    options_.log_ops = scenario_.log_ops;
    options_.trace_events = scenario_.trace_events;
    options_.stub_unresolved = scenario_.stub_unresolved;
    return std::move(options_);
  }

 private:
  Outcome<std::string> find(const std::string& name, scenario::Mark at) const {
    const std::vector<fs::path> places = places_of(scenario_, name, generation_, folders_);
    if (auto found = find_file(places)) return std::move(*found);
    std::vector<std::string> texts;
    std::ranges::transform(places, std::back_inserter(texts),
                           [](const fs::path& path) { return path.string(); });
    return file_error("{}: {}: no such file; looked for {}", place(scenario_, at), name,
                      fmt::join(texts, ", "));
  }

  Outcome<void> build_modules() {
    for (const scenario::Module& module : scenario_.modules) {
      if (module.kind == ModuleKind::file) continue;
      auto built = build_inline({.module = &module,
                                 .scenario_file = scenario_.file,
                                 .generation = generation_,
                                 .folder = scratch_});
      if (!built) return std::unexpected(built.error());
      built_[module.name] = std::move(*built);
    }
    return {};
  }

  /// A module that stands in the scenario is loaded late where a wish names it, else at boot.
  Outcome<void> name_late_modules() {
    for (std::size_t i = 0; i < options_.wishes.size(); ++i) {
      RcLine& line = options_.wishes[i];
      if (line.verb != RcVerb::late) continue;
      if (const auto own = built_.find(line.target); own != built_.end()) {
        late_.push_back(own->first);
        line.target = own->second;
        continue;
      }
      if (scenario_.initramfs) continue;
      auto found = find(line.target, scenario_.wishes[i].at);
      if (!found) return std::unexpected(found.error());
      line.target = std::move(*found);
    }
    return {};
  }

  Outcome<void> add_modules() {
    for (const scenario::Module& module : scenario_.modules) {
      if (module.kind != ModuleKind::file) {
        if (std::ranges::find(late_, module.name) == late_.end())
          options_.modules.push_back(built_[module.name]);
        continue;
      }
      if (scenario_.initramfs) {  // a name inside the archive
        add_el2_half(module, module.name);
        options_.modules.push_back(module.name);
        continue;
      }
      auto found = find(module.name, module.at);
      if (!found) return std::unexpected(found.error());
      add_el2_half(module, *found);
      options_.modules.push_back(std::move(*found));
    }
    return {};
  }

  void add_el2_half(const scenario::Module& module, const std::string& file) {
    if (!module.el2_only) return;
    options_.el2_only.push_back({.module = file,
                                 .init = module.el2_only->init,
                                 .handlers = module.el2_only->handlers,
                                 .variables = module.el2_only->variables});
  }

  Outcome<void> add_other_files() {
    const scenario::Mark top{};
    for (const auto& [name, option, at] :
         {std::tuple{&scenario_.initramfs, &options_.initramfs, top},
          {&scenario_.firmware, &options_.firmware, top},
          {&scenario_.el3, &options_.el3, top},
          {&scenario_.plan_file, &options_.plan, scenario::mark_of(scenario_.plan_node)}}) {
      if (!*name) continue;
      auto found = find(**name, at);
      if (!found) return std::unexpected(found.error());
      *option = std::move(*found);
    }
    if (!scenario_.budget) return {};
    const auto budget = parse_budget(*scenario_.budget);
    if (!budget)
      return file_error("{}: {}", place(scenario_, scenario_.budget_mark), budget.error().message);
    options_.budget = *budget;
    return {};
  }

  /// "ADDR=FILE"; what is wrong with ADDR is told by whoever reads it.
  Outcome<void> add_memory() {
    for (std::size_t i = 0; i < scenario_.memory.size(); ++i) {
      const std::string& text = scenario_.memory[i];
      const std::size_t equals = std::min(text.find('='), text.size() - 1);
      auto found = find(text.substr(equals + 1), scenario_.memory_marks[i]);
      if (!found) return std::unexpected(found.error());
      options_.memory.push_back(text.substr(0, equals + 1) + *found);
    }
    return {};
  }

  Outcome<void> add_devices() {
    options_.devices = scenario_.devices;
    for (const std::string& file : scenario_.environment) {
      auto found = find(file, {});
      if (!found) return std::unexpected(found.error());
      options_.environment.push_back(std::move(*found));
    }
    for (std::size_t i = 0; i < scenario_.mmio.size(); ++i) {
      const scenario::Mark at = scenario_.mmio_marks[i];
      const auto region = script::parse_region(scenario_.mmio[i]);
      if (!region) return file_error("{}: mmio: {}", place(scenario_, at), region.error().message);
      std::string what = region->what;
      if (script::is_file(*region)) {
        auto found = find(what, at);
        if (!found) return std::unexpected(found.error());
        what = std::move(*found);
      }
      options_.mmio.push_back(
          fmt::format("{:#x}:{:#x}={}", region->base.value, region->size, what));
    }
    return {};
  }

  const Scenario& scenario_;
  pkvm::Generation generation_;
  std::span<const std::string> folders_;
  fs::path scratch_;
  RunOptions options_;
  std::map<std::string, std::string> built_;  ///< path of each inline module
  std::vector<std::string> late_;
};

CaseResult failed(std::string error) {
  CaseResult result;
  result.error = std::move(error);
  result.interrupted = StopsOnSignal::seen();
  return result;
}

CaseResult judge(const ScenarioCase& one, const observe::RunReport& report) {
  const auto expectations = scenario::expectations_of(*one.scenario, one.generation);
  if (!expectations) return failed(expectations.error().message);
  scenario::Observed observed{.report = report, .verdict = {}};
  for (observe::VerdictLine& line : observe::verdict_lines(report))
    observed.verdict.push_back(std::move(line.text));
  CaseResult result;
  result.mismatches = scenario::check(*expectations, observed);
  result.verdict = observed.verdict;
  result.console = scenario::console_lines(observed);
  result.instructions = report.instructions;
  result.interrupted = StopsOnSignal::seen();
  return result;
}

}  // namespace

std::string name_of(const Scenario& scenario) {
  return fs::path(scenario.file).stem().string();
}

std::string ScenarioCase::name() const {
  return fmt::format("{} [{}]", name_of(*scenario), pkvm::info(generation).kmi);
}

std::vector<ScenarioCase> cases_of(const Scenario& scenario,
                                   std::span<const std::string> module_folders) {
  std::vector<ScenarioCase> cases;
  for (const pkvm::Generation generation : scenario.generations)
    cases.push_back({.scenario = &scenario, .generation = generation});
  if (!cases.empty()) return cases;
  ScenarioCase only{.scenario = &scenario};
  for (const scenario::Module& module : scenario.modules) {
    if (module.kind != ModuleKind::file || scenario.initramfs) continue;
    const auto found = find_file(places_of(scenario, module.name, only.generation, module_folders));
    const auto file = found ? open_module(*found) : usage_error("");
    if (!file) continue;  // told when it is run
    only.generation = file->generation;
    break;
  }
  return {only};
}

Outcome<std::vector<RcLine>> rc_lines(const Scenario& scenario) {
  std::vector<RcLine> lines;
  for (const scenario::Wish& wish : scenario.wishes) {
    const auto* const row = std::ranges::find(verb_rows, wish.verb, &VerbRow::verb);
    auto line = row->parse(wish.text);
    if (!line)
      return file_error("{}: {}: {}", place(scenario, wish.at), wish.verb, line.error().message);
    line->phase = wish.phase == scenario::Phase::early ? RcPhase::early : RcPhase::normal;
    lines.push_back(std::move(*line));
  }
  return lines;
}

CaseResult run_case(const ScenarioCase& one, std::span<const std::string> module_folders) {
  const StopsOnSignal stops;
  const auto scratch = build::TempDir::create();
  if (!scratch) return failed(scratch.error().message);
  const auto options = CaseOptions(one, module_folders, scratch->path()).make();
  if (!options) return failed(options.error().message);
  auto prepared = PreparedRun::create(*options);
  if (!prepared) return failed(prepared.error().message);
  StopsOnSignal::watch(&(*prepared)->machine());
  const machine::Exit exit = (*prepared)->machine().run();
  StopsOnSignal::watch(nullptr);
  const observe::RunReport report = (*prepared)->report(exit);
  PreparedRun::abandon(std::move(*prepared));
  return judge(one, report);
}

std::string to_json(const CaseResult& result) {
  nlohmann::json mismatches = nlohmann::json::array();
  for (const scenario::Mismatch& each : result.mismatches)
    mismatches.push_back({{"subject", each.subject},
                          {"line", each.at.line},
                          {"column", each.at.column},
                          {"expected", each.expected},
                          {"got", each.got}});
  const nlohmann::json all = {{"error", result.error},
                              {"mismatches", mismatches},
                              {"verdict", result.verdict},
                              {"console", result.console},
                              {"instructions", result.instructions},
                              {"interrupted", result.interrupted}};
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

CaseResult result_from_json(const std::string& text) {
  const nlohmann::json all = nlohmann::json::parse(text);
  CaseResult result;
  result.error = all.at("error").get<std::string>();
  for (const nlohmann::json& each : all.at("mismatches"))
    result.mismatches.push_back(
        {.subject = each.at("subject").get<std::string>(),
         .at = {.line = each.at("line").get<int>(), .column = each.at("column").get<int>()},
         .expected = each.at("expected").get<std::string>(),
         .got = each.at("got").get<std::string>()});
  result.verdict = all.at("verdict").get<std::vector<std::string>>();
  result.console = all.at("console").get<std::vector<std::string>>();
  result.instructions = all.at("instructions").get<std::uint64_t>();
  result.interrupted = all.at("interrupted").get<bool>();
  return result;
}

}  // namespace pkvmemu::tool
