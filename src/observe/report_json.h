// SPDX-License-Identifier: GPL-2.0-only
// The report for machines. Keys are documented in docs/json.md and stay: new ones may come,
// `schema` changes only when one goes or changes its meaning.
#pragma once

#include <string>

#include "observe/report.h"

namespace pkvmemu::observe {

inline constexpr int json_schema = 1;

/// One JSON object with a final newline. Always valid UTF-8, whatever the guest printed.
std::string to_json(const RunReport& report);

}  // namespace pkvmemu::observe
