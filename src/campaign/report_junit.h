// SPDX-License-Identifier: GPL-2.0-only
// The report for CI: JUnit XML as Jenkins, GitLab and GitHub actions read it. Bugs, panics and
// hangs are failures, lost cases errors; an expected error passes.
#pragma once

#include <string>

#include "campaign/record.h"

namespace pkvmemu::campaign {

std::string to_junit(const SweepResult& result);

}  // namespace pkvmemu::campaign
