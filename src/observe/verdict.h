// SPDX-License-Identifier: GPL-2.0-only
// The report as lines for people (docs/design.md, section 7): what the calls answered, then one
// line for each module, then whether protected VMs are available, and, when the run did not end as
// it should, a last line that says what to do. No colour, no newlines, no control characters.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "observe/report.h"

namespace pkvmemu::observe {

enum class Tone : std::uint8_t { neutral, good, bad };

struct VerdictLine {
  Tone tone = Tone::neutral;
  std::string text;
  bool operator==(const VerdictLine&) const = default;
};

std::vector<VerdictLine> verdict_lines(const RunReport& report);

}  // namespace pkvmemu::observe
