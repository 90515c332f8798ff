// SPDX-License-Identifier: GPL-2.0-only
// A program run to its end, with its wall-clock time and the memory it had resident at most.
#pragma once

#include <string>
#include <vector>

#include "support/result.h"

namespace pkvmemu::bench {

struct ChildRun {
  double seconds = 0;
  double resident_mib = 0;
};

/// Output goes to /dev/null. Any exit code but 0 is an error.
Result<ChildRun> run_child(const std::vector<std::string>& command);

}  // namespace pkvmemu::bench
