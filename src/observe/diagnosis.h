// SPDX-License-Identifier: GPL-2.0-only
// What a hyp panic was about, for the author of a module: what happened, where, and what to do. The
// advice is one table (docs/wrong-uses.md).
#pragma once

#include <string>

#include "observe/place.h"
#include "observe/report.h"

namespace pkvmemu::observe {

/// `report` says which modules did not load.
PanicDiagnosis diagnose(const HypPanic& panic, const RunReport& report, const PlaceOf& place_of);

}  // namespace pkvmemu::observe
