// SPDX-License-Identifier: GPL-2.0-only
// What sweeps cost: cases a second, workers, and going back to a snapshot.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "guest_runs.h"
#include "statistics.h"
#include "support/result.h"

namespace pkvmemu::bench {

/// How often each measurement is made.
struct SweepEffort {
  unsigned pairs = 1;
  unsigned restores = 1;
};

/// Cases a second of one worker against one boot of QEMU for each case; two workers against one;
/// and what a worker has resident.
Result<void> add_sweeps(const GuestRuns& guest, const std::filesystem::path& folder,
                        const SweepEffort& effort, std::vector<Row>& rows);

/// Restoring a machine, by the pages that were stored to.
Result<void> add_restores(const SweepEffort& effort, std::vector<Row>& rows);

}  // namespace pkvmemu::bench
