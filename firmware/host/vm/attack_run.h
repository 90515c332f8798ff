// SPDX-License-Identifier: GPL-2.0-only
// The wish `attack`: the attacks of one phase whose names match, one after the other, each told on
// the console and as events.
#pragma once

#include <string_view>

#include "host/vm/attack.h"

namespace pkvmemu::host {

/// Those that end the run are left out unless `pattern` is the name of one.
void run_attacks(AttackPhase phase, std::string_view pattern);

}  // namespace pkvmemu::host
