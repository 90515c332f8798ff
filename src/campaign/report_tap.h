// SPDX-License-Identifier: GPL-2.0-only
// The report in the Test Anything Protocol, version 14, with a YAML block under each finding.
#pragma once

#include <string>

#include "campaign/record.h"

namespace pkvmemu::campaign {

std::string to_tap(const SweepResult& result);

}  // namespace pkvmemu::campaign
