// SPDX-License-Identifier: GPL-2.0-only
// Names of EL2 functions from the modules' files, for addresses that the log of ops shows.
#pragma once

#include <span>

#include "observe/ops_log.h"
#include "observe/report.h"

namespace pkvmemu::tool {

/// Opens a module's file when it is first asked for. Modules without a file (those inside an
/// archive) have no names.
observe::HypSymbols hyp_symbols(std::span<const observe::ModuleRequest> modules);

}  // namespace pkvmemu::tool
