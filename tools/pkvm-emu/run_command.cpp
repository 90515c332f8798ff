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
#include "machine/machine.h"
#include "observe/report.h"
#include "observe/report_json.h"
#include "observe/verdict.h"
#include "output.h"
#include "outputs.h"
#include "prepared_run.h"
#include "run_plan.h"
#include "support/log.h"
#include "world_files.h"

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

Outcome<observe::RunReport> run(const RunOptions& options, RunPlan plan,
                                std::span<const std::byte> firmware, Output& output) {
  auto prepared =
      PreparedRun::create(options, std::move(plan), firmware,
                          {.console = [&](std::string_view text) { output.console(text); },
                           .line = [&](std::string_view text) { output.line(text); }});
  if (!prepared) return std::unexpected(prepared.error());
  machine::Machine& machine = (*prepared)->machine();
  machine::Exit exit;
  {
    const InterruptStops guard(machine);
    exit = machine.run();
  }
  observe::RunReport report = (*prepared)->report(exit);
  PreparedRun::abandon(std::move(*prepared));
  return report;
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
  for (const auto& file : {options.initramfs, options.firmware, options.plan})
    if (file) inputs.emplace_back(*file);
  for (std::filesystem::path& file : world_files(options))
    inputs.push_back(std::move(file));
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
  return run_and_tell(*options, volume);
}

Outcome<observe::ExitCode> run_and_tell(const RunOptions& options, const Volume& volume) {
  if (options.lists_attacks) {
    Output(stdout).text(attack_list());
    return observe::ExitCode::good;
  }
  if (auto good = check_outputs(options); !good) return std::unexpected(good.error());
  auto plan = make_plan(options);
  if (!plan) return std::unexpected(plan.error());
  log::info("kernel command line: {}", plan->bootargs);
  log::info("initramfs: {} bytes", plan->initramfs.size());
  const auto firmware = firmware_for(options);
  if (!firmware) return std::unexpected(firmware.error());

  Output output(options.json == "-" ? stderr : stdout, volume);
  if (options.export_qemu) {
    if (auto exported = export_qemu(*options.export_qemu, *plan, *firmware); !exported)
      return std::unexpected(exported.error());
    if (!volume.quiet) output.text(*options.export_qemu + "/run.sh runs this under QEMU\n");
    return observe::ExitCode::good;
  }

  const auto report = run(options, std::move(*plan), *firmware, output);
  if (!report) return std::unexpected(report.error());
  output.verdict(observe::verdict_lines(*report));
  log::info("{} instructions", report->instructions);
  if (options.json)
    if (auto written = write_json(*options.json, observe::to_json(*report)); !written)
      return std::unexpected(written.error());
  return report->exit_code;
}

}  // namespace pkvmemu::tool
