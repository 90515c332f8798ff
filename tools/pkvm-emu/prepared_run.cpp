// SPDX-License-Identifier: GPL-2.0-only
#include "prepared_run.h"

#include <utility>

#include "fault_plan.h"
#include "firmware_image.h"
#include "guest_symbols.h"
#include "hyp_symbols.h"
#include "observe/pvmfw.h"
#include "symbols/placement.h"

namespace pkvmemu::tool {
Outcome<Bytes> firmware_for(const RunOptions& options) {
  if (!options.firmware) {
    const auto builtin = builtin_firmware();
    return Bytes(builtin.begin(), builtin.end());
  }
  auto image = read_file(*options.firmware);
  if (!image) return as_file_error(image.error());
  return std::move(*image);
}

PreparedRun::PreparedRun(RunPlan plan, Sinks sinks)
    : plan_(std::move(plan)),
      sinks_(std::move(sinks)),
      symbols_(hyp_symbols(plan_.modules)),
      ops_(symbols_) {}

Outcome<std::unique_ptr<PreparedRun>> PreparedRun::create(const RunOptions& options, RunPlan plan,
                                                          std::span<const std::byte> firmware,
                                                          Sinks sinks) {
  auto faults = plan_faults(options, plan, firmware);
  if (!faults) return std::unexpected(faults.error());
  std::unique_ptr<PreparedRun> run(new PreparedRun(std::move(plan), std::move(sinks)));
  run->sites_ = std::move(faults->sites);
  run->devices_ = std::move(faults->devices);
  run->guest_symbols_ = std::move(faults->symbols);
  run->seed_ = faults->seed;
  run->corruptions_ = std::move(faults->corruptions);
  run->expectations_ = std::move(faults->expectations);
  run->logs_ops_ = options.log_ops;
  run->firmware_file_ = options.firmware;
  if (!faults->faults.empty() || options.faults_follow)
    run->injector_ = std::make_unique<fault::Injector>(
        run->sites_, *run->guest_symbols_, std::move(faults->faults),
        options.faults_follow ? fault::Watching::all : fault::Watching::planned,
        faults->seed.value_or(0));

  machine::Config config;
  config.kernel = firmware;
  config.initrd = run->plan_.initramfs;
  config.pvmfw = observe::builtin_pvmfw();
  config.bootargs = run->plan_.bootargs;
  config.memory = run->plan_.memory;
  config.world = run->plan_.world;
  config.world_log_sink = run->sinks_.line;
  config.devices = run->plan_.devices;
  if (run->plan_.runs_guests) config.ram_mapping = machine::RamMapping::several_times;
  config.budget = options.budget;
  config.console_sink = run->sinks_.console;
  if (run->logs_ops_ || run->injector_ || run->sinks_.event)
    config.event_sink = [self = run.get()](const machine::Event& event) { self->saw(event); };
  if (const auto good = machine::check_regions(config); !good)
    return file_error("--mmio: {}", good.error().message);
  auto machine = machine::Machine::create(config);
  if (!machine)
    return file_error("{}: {}", options.firmware.value_or("this run"), machine.error().message);
  run->machine_ = std::move(*machine);
  if (run->injector_) run->injector_->attach(*run->machine_);
  return run;
}

Outcome<std::unique_ptr<PreparedRun>> PreparedRun::create(const RunOptions& options, Sinks sinks) {
  auto plan = make_plan(options);
  if (!plan) return std::unexpected(plan.error());
  const auto firmware = firmware_for(options);
  if (!firmware) return std::unexpected(firmware.error());
  return create(options, std::move(*plan), *firmware, std::move(sinks));
}

void PreparedRun::saw(const machine::Event& event) {
  if (injector_) injector_->saw(event);
  if (sinks_.event) sinks_.event(event);
  if (!logs_ops_) return;
  const auto line = ops_.add(event);
  if (line && sinks_.line) sinks_.line(*line);
}

observe::RunReport PreparedRun::report(const machine::Exit& exit) const {
  observe::Facts facts;
  facts.exit = exit;
  facts.modules = plan_.modules;
  facts.calls = plan_.calls;
  facts.touches = plan_.touches;
  facts.events = machine_->events();
  facts.pvmfw = observe::check_pvmfw(machine_->pvmfw_region(), observe::builtin_pvmfw());
  facts.instructions = machine_->instructions();
  facts.console = machine_->console();
  facts.world = machine_->world_use();
  facts.symbols = symbols_;
  facts.place_of = [this](std::uint64_t address, unsigned el) { return place_of(address, el); };
  if (injector_) facts.faults = reports_of(*injector_);
  facts.seed = seed_;
  facts.corruptions = corruptions_;
  facts.expectations = expectations_;
  return observe::make_report(facts);
}

observe::Place PreparedRun::place_of(std::uint64_t address, unsigned el) const {
  if (!names_) names_ = guest_symbols(plan_.initramfs, firmware_file_);
  symbols::Placement placement(*names_);
  for (const machine::Event& event : machine_->events())
    placement.saw(event);
  const auto spot = placement.spot_at(Va{address}, el);
  if (!spot) return {};
  return {.text = names_->name_of(*spot),
          .image = spot->part.image,
          .section = names_->section_of(spot->part)};
}

void PreparedRun::abandon(std::unique_ptr<PreparedRun> run) {
  [[maybe_unused]] static PreparedRun* abandoned = nullptr;
  abandoned = run.release();
}

}  // namespace pkvmemu::tool
