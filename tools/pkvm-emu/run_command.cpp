// SPDX-License-Identifier: GPL-2.0-only
#include "run_command.h"

#include <atomic>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "attack_list.h"
#include "export_qemu.h"
#include "fault/injector.h"
#include "firmware_image.h"
#include "hyp_symbols.h"
#include "machine/machine.h"
#include "observe/pvmfw.h"
#include "observe/report.h"
#include "observe/report_json.h"
#include "observe/verdict.h"
#include "output.h"
#include "outputs.h"
#include "run_plan.h"
#include "support/log.h"

namespace pkvmemu::tool {
namespace {

/// Ctrl-C ends the run with a verdict; a second one ends the process as usual.
class InterruptStops {
 public:
  explicit InterruptStops(machine::Machine& machine) {
    running.store(&machine);
    struct sigaction action = {};
    action.sa_handler = [](int) {
      if (machine::Machine* current = running.load()) current->request_stop();
    };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &previous_);
  }
  ~InterruptStops() {
    sigaction(SIGINT, &previous_, nullptr);
    running.store(nullptr);
  }
  InterruptStops(const InterruptStops&) = delete;
  InterruptStops& operator=(const InterruptStops&) = delete;

 private:
  static inline std::atomic<machine::Machine*> running{nullptr};
  static_assert(std::atomic<machine::Machine*>::is_always_lock_free);
  struct sigaction previous_ = {};
};

Outcome<Bytes> firmware_for(const RunOptions& options) {
  if (!options.firmware) {
    const auto builtin = builtin_firmware();
    return Bytes(builtin.begin(), builtin.end());
  }
  auto image = read_file(*options.firmware);
  if (!image) return as_file_error(image.error());
  return std::move(*image);
}

/// What the command line asks to fail, in the firmware that runs.
struct FaultPlan {
  std::vector<fault::Site> sites;
  std::vector<fault::Fault> faults;
};

Outcome<FaultPlan> plan_faults(const RunOptions& options, std::span<const std::byte> firmware) {
  FaultPlan plan;
  if (options.faults.empty()) return plan;
  auto sites = fault::find_sites(firmware);
  if (!sites) return as_file_error(sites.error());
  plan.sites = std::move(*sites);
  for (const std::string& text : options.faults) {
    auto wanted = fault::parse_fault(text, plan.sites);
    if (!wanted) return usage_error("--fail {}: {}", text, wanted.error().message);
    plan.faults.push_back(std::move(*wanted));
  }
  return plan;
}

std::vector<observe::FaultReport> reports_of(const fault::Injector& injector) {
  std::vector<observe::FaultReport> reports;
  for (const fault::Happened& one : injector.happened())
    reports.push_back({.site = one.fault.site,
                       .nth = one.fault.nth,
                       .answer = one.fault.answer,
                       .reached = one.reached,
                       .fired = one.fired});
  return reports;
}

Outcome<observe::RunReport> run(const RunOptions& options, RunPlan plan,
                                std::span<const std::byte> firmware, Output& output) {
  auto faults = plan_faults(options, firmware);
  if (!faults) return std::unexpected(faults.error());
  fault::Injector injector(faults->sites, std::move(faults->faults));
  const auto pvmfw = observe::builtin_pvmfw();
  machine::Config config;
  config.kernel = firmware;
  config.initrd = plan.initramfs;
  config.pvmfw = pvmfw;
  config.bootargs = plan.bootargs;
  if (plan.runs_guests) config.ram_mapping = machine::RamMapping::several_times;
  config.budget = options.budget;
  config.console_sink = [&](std::string_view text) { output.console(text); };
  const observe::HypSymbols symbols = hyp_symbols(plan.modules);
  observe::OpsLog ops(symbols);
  const bool injects = !options.faults.empty();
  if (options.log_ops || injects)
    config.event_sink = [&](const machine::Event& event) {
      injector.saw(event);
      if (!options.log_ops) return;
      if (const auto line = ops.add(event)) output.line(*line);
    };
  auto machine = machine::Machine::create(config);
  if (!machine)
    return file_error("{}: {}", options.firmware.value_or("this run"), machine.error().message);
  if (injects) injector.attach(**machine);

  observe::Facts facts;
  {
    const InterruptStops guard(**machine);
    facts.exit = (*machine)->run();
  }
  facts.modules = std::move(plan.modules);
  facts.calls = std::move(plan.calls);
  facts.touches = std::move(plan.touches);
  facts.events = (*machine)->events();
  facts.pvmfw = observe::check_pvmfw((*machine)->pvmfw_region(), pvmfw);
  facts.instructions = (*machine)->instructions();
  facts.console = (*machine)->console();
  facts.symbols = symbols;
  facts.faults = reports_of(injector);
  // The process ends after this: taking the engine and a gibibyte apart first would be a tenth of
  // its time.
  [[maybe_unused]] static machine::Machine* abandoned = nullptr;
  abandoned = machine->release();
  return observe::make_report(facts);
}

/// The files that a run reads.
Paths inputs_of(const RunOptions& options) {
  Paths inputs;
  // With an initramfs these are names of modules inside it.
  if (!options.initramfs) {
    inputs.assign(options.modules.begin(), options.modules.end());
    for (const RcLine& line : options.wishes)
      if (line.verb == RcVerb::late) inputs.emplace_back(line.target);
  }
  for (const auto& file : {options.initramfs, options.firmware})
    if (file) inputs.emplace_back(*file);
  return inputs;
}

Outcome<void> check_outputs(const RunOptions& options) {
  const Paths inputs = inputs_of(options);
  if (options.json && *options.json != "-")
    if (auto good = check_output(*options.json, inputs); !good) return good;
  if (!options.export_qemu) return {};
  for (const std::string_view name : exported_files)
    if (auto good = check_no_input(std::filesystem::path(*options.export_qemu) / name, inputs);
        !good)
      return good;
  return {};
}

Outcome<void> write_json(const std::string& path, const std::string& json) {
  if (path == "-") {
    Output(stdout).text(json);
    return {};
  }
  if (auto written = write_file(path, std::string_view(json)); !written)
    return as_file_error(written.error());
  return {};
}

}  // namespace

RunCommand::RunCommand(CLI::App& app)
    : command_(app.add_subcommand("run", "Load modules, call them, and tell how it went")),
      parser_(*command_) {}

Outcome<observe::ExitCode> RunCommand::execute(const Volume& volume) const {
  const auto options = parser_.options();
  if (!options) return std::unexpected(options.error());
  if (options->lists_attacks) {
    Output(stdout).text(attack_list());
    return observe::ExitCode::good;
  }
  if (auto good = check_outputs(*options); !good) return std::unexpected(good.error());
  auto plan = make_plan(*options);
  if (!plan) return std::unexpected(plan.error());
  log::info("kernel command line: {}", plan->bootargs);
  log::info("initramfs: {} bytes", plan->initramfs.size());
  const auto firmware = firmware_for(*options);
  if (!firmware) return std::unexpected(firmware.error());

  Output output(options->json == "-" ? stderr : stdout, volume);
  if (options->export_qemu) {
    if (auto exported = export_qemu(*options->export_qemu, *plan, *firmware); !exported)
      return std::unexpected(exported.error());
    if (!volume.quiet) output.text(*options->export_qemu + "/run.sh runs this under QEMU\n");
    return observe::ExitCode::good;
  }

  const auto report = run(*options, std::move(*plan), *firmware, output);
  if (!report) return std::unexpected(report.error());
  output.verdict(observe::verdict_lines(*report));
  log::info("{} instructions", report->instructions);
  if (options->json)
    if (auto written = write_json(*options->json, observe::to_json(*report)); !written)
      return std::unexpected(written.error());
  return report->exit_code;
}

}  // namespace pkvmemu::tool
