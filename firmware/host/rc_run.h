// SPDX-License-Identifier: GPL-2.0-only
// Carries out /pkvm-emu.rc (rc.h).
#pragma once

#include "host/rc.h"

namespace pkvmemu::host {

/// The wishes of one phase, in file order. Errors are reported in the early phase, once.
void run_wishes(WishPhase phase);

}  // namespace pkvmemu::host
