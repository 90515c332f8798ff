// SPDX-License-Identifier: GPL-2.0-only
// A run that is ready to start: the machine with firmware and job, the faults that it is to meet,
// and what a report needs to know. `run`, sweeps, scenarios and tests all run things this way.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"
#include "fault/injector.h"
#include "fault/sites.h"
#include "machine/machine.h"
#include "observe/ops_log.h"
#include "observe/report.h"
#include "run_options.h"
#include "run_plan.h"
#include "support/file.h"
#include "symbols/symbol_table.h"

namespace pkvmemu::tool {

/// The firmware that the options ask for: a file's, or the one that this executable carries.
Outcome<Bytes> firmware_for(const RunOptions& options);

/// Where things go while a run is under way; all may be empty.
struct RunSinks {
  std::function<void(std::string_view)> console{};
  std::function<void(std::string_view)> line{};  ///< of the log of ops
  std::function<void(const machine::Event&)> event{};
};

class PreparedRun {
 public:
  using Sinks = RunSinks;

  static Outcome<std::unique_ptr<PreparedRun>> create(const RunOptions& options, RunPlan plan,
                                                      std::span<const std::byte> firmware,
                                                      Sinks sinks = {});
  /// With the plan and the firmware that the options ask for.
  static Outcome<std::unique_ptr<PreparedRun>> create(const RunOptions& options, Sinks sinks = {});

  ~PreparedRun() = default;
  PreparedRun(const PreparedRun&) = delete;
  PreparedRun& operator=(const PreparedRun&) = delete;
  PreparedRun(PreparedRun&&) = delete;
  PreparedRun& operator=(PreparedRun&&) = delete;

  machine::Machine& machine() { return *machine_; }
  [[nodiscard]] const RunPlan& plan() const { return plan_; }
  /// To note what is asked of the guest while it runs.
  RunPlan& plan() { return plan_; }
  /// Null when there are no faults, and none may be added.
  fault::Injector* injector() { return injector_.get(); }
  /// Of the firmware that runs.
  [[nodiscard]] std::span<const fault::Site> sites() const { return sites_; }
  /// What there is to fail, when there are faults or some may be added.
  [[nodiscard]] fault::Names fault_names() const {
    return {.sites = sites_, .symbols = *guest_symbols_, .devices = devices_};
  }
  /// What the run came to, after it ended so.
  [[nodiscard]] observe::RunReport report(const machine::Exit& exit) const;
  /// Leaves the machine to the end of the process: taking the engine and a gibibyte apart first
  /// would be a tenth of a run's time.
  static void abandon(std::unique_ptr<PreparedRun> run);

 private:
  PreparedRun(RunPlan plan, Sinks sinks);
  void saw(const machine::Event& event);
  /// Reads all the names at its first use.
  [[nodiscard]] observe::Place place_of(std::uint64_t address, unsigned el) const;

  RunPlan plan_;
  Sinks sinks_;
  std::vector<fault::Site> sites_;
  std::vector<fault::DeviceWindow> devices_;
  std::unique_ptr<symbols::SymbolTable> guest_symbols_;
  observe::HypSymbols symbols_;
  std::optional<std::string> firmware_file_;
  mutable std::optional<symbols::SymbolTable> names_;
  observe::OpsLog ops_;
  bool logs_ops_ = false;
  std::optional<std::uint64_t> seed_;
  std::vector<std::string> corruptions_;
  std::vector<observe::Expectation> expectations_;
  std::unique_ptr<fault::Injector> injector_;  ///< when there are faults
  std::unique_ptr<machine::Machine> machine_;
};

}  // namespace pkvmemu::tool
