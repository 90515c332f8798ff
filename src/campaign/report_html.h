// SPDX-License-Identifier: GPL-2.0-only
// The report as one page: no network, no other file, and readable without JavaScript, which only
// filters. Dark or light as the reader's system is.
#pragma once

#include <string>

#include "campaign/record.h"

namespace pkvmemu::campaign {

std::string to_html(const SweepResult& result);

}  // namespace pkvmemu::campaign
