// SPDX-License-Identifier: GPL-2.0-only
// The world around the firmware as the command line describes it: --mmio and --el3.
#pragma once

#include <filesystem>
#include <vector>

#include "failure.h"
#include "run_options.h"
#include "run_plan.h"

namespace pkvmemu::tool {

/// Reads what the options name into the plan.
Outcome<void> add_world(const RunOptions& options, RunPlan& plan);

/// The files that it reads.
std::vector<std::filesystem::path> world_files(const RunOptions& options);

}  // namespace pkvmemu::tool
