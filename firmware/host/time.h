// SPDX-License-Identifier: GPL-2.0-only
// Time for modules. Two clocks that never meet the wall's:
//   - the virtual counter (CNTVCT_EL0), which runs with execution;
//   - time that was slept away: nothing waits, a sleep adds its length, and running delayed work
//     moves on to the moment when it is due.
// jiffies shows the second one alone, so it is the same on every machine; ktime_get is their sum.
#pragma once

#include <cstdint>

namespace pkvmemu::host {

inline constexpr std::uint64_t ns_per_ms = 1'000'000;
/// CONFIG_HZ of GKI: 250.
inline constexpr std::uint64_t ns_per_jiffy = 4 * ns_per_ms;

/// Nanoseconds slept so far.
std::uint64_t slept_ns();
void sleep_for_ns(std::uint64_t duration);
/// Does nothing when that is past.
void sleep_until_ns(std::uint64_t moment);

/// Runs the item that is due first, as long as it is due by then, and moves on to that moment.
/// False when there is none.
bool run_one_work_item(std::uint64_t due_by);

/// Runs pending work in the order it falls due, later than `slept_ns() + horizon` left alone; at
/// most `work_run_limit` items, so that work which queues itself for ever ends. Says how many
/// remain.
void run_pending_work();
inline constexpr unsigned work_run_limit = 256;
inline constexpr std::uint64_t work_horizon_ns = 60'000 * ns_per_ms;

}  // namespace pkvmemu::host
