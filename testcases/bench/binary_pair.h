// SPDX-License-Identifier: GPL-2.0-only
// Two pkvm-emu executables on the same module and wishes, each with the firmware that it carries:
// what a change costs, or gains.
#pragma once

#include <filesystem>

#include "support/result.h"

namespace pkvmemu::bench {

/// The two, in words of the table.
struct BinaryPair {
  std::filesystem::path before;
  std::filesystem::path after;
};

/// Runs both alternately, in pairs whose first alternates too, and prints the medians of the pairs'
/// ratios, before to after: more than 1 is faster.
Result<void> compare_binaries(const BinaryPair& binaries, const std::filesystem::path& folder);

}  // namespace pkvmemu::bench
