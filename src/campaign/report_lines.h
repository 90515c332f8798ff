// SPDX-License-Identifier: GPL-2.0-only
// The report for programs: the records themselves, put together and in order (docs/sweep.md).
#pragma once

#include <string>

#include "campaign/record.h"

namespace pkvmemu::campaign {

std::string to_lines(const SweepResult& result);

}  // namespace pkvmemu::campaign
