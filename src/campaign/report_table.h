// SPDX-License-Identifier: GPL-2.0-only
// The report for people at a terminal: good cases folded to a line for each site, findings in full,
// and the sum last, where the eye is when a command ends.
#pragma once

#include <cstdint>
#include <string>

#include "campaign/record.h"

namespace pkvmemu::campaign {

enum class Detail : std::uint8_t {
  findings,    ///< nothing of good cases, no word of a good sweep
  folded,      ///< good cases that came to the same at one site are one line
  everything,  ///< each case, and each of findings that are alike
};
enum class Colour : std::uint8_t { off, on };

std::string to_table(const SweepResult& result, Detail detail, Colour colour);

}  // namespace pkvmemu::campaign
