// SPDX-License-Identifier: GPL-2.0-only
// Snapshots of the whole machine: the CPU, the devices, RAM, and what the machine has told so far
// (console, events, counts). A run that goes on from a restore is the run that went on from the
// snapshot, to the last byte and instruction.
//
// Snapshots form a tree: any number may be alive, and each can be gone back to at any time, any
// number of times, from wherever the machine has got to. They belong to the machine and go with it.
// One costs the registers and, as they come, a copy of each page that is stored to while it is
// alive; a restore costs what was stored to since (page_versions.h).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace pkvmemu::machine {

/// Names a snapshot of one machine. Names are not used again.
struct SnapshotId {
  std::uint64_t value = 0;
  constexpr auto operator<=>(const SnapshotId&) const = default;
};

struct SnapshotCost {
  std::size_t kept_pages = 0;   ///< pages of 4 KiB kept for this snapshot, shared ones included
  std::size_t total_pages = 0;  ///< pages kept for all snapshots of the machine
};

}  // namespace pkvmemu::machine
