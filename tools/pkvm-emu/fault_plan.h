// SPDX-License-Identifier: GPL-2.0-only
// The faults that a run is to meet: of --fail and --plan, in the firmware and the modules that run.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "failure.h"
#include "fault/fault.h"
#include "fault/injector.h"
#include "fault/sites.h"
#include "observe/expectation.h"
#include "observe/report.h"
#include "run_options.h"
#include "run_plan.h"
#include "symbols/symbol_table.h"

namespace pkvmemu::tool {

struct FaultPlan {
  std::vector<fault::Site> sites;
  std::vector<fault::DeviceWindow> devices;
  std::unique_ptr<symbols::SymbolTable> symbols = std::make_unique<symbols::SymbolTable>();
  std::vector<fault::Fault> faults;
  std::optional<std::uint64_t> seed;  ///< when something goes by lot
  std::vector<std::string> corruptions;
  std::vector<observe::Expectation> expectations;
};

/// Corrupts the modules in `run`, where the plan says so.
Outcome<FaultPlan> plan_faults(const RunOptions& options, RunPlan& run,
                               std::span<const std::byte> firmware);

std::vector<observe::FaultReport> reports_of(const fault::Injector& injector);

}  // namespace pkvmemu::tool
