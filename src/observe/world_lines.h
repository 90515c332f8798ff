// SPDX-License-Identifier: GPL-2.0-only
// The part of the verdict about scripted devices and the secure world (docs/devices.md).
#pragma once

#include <vector>

#include "device/world_use.h"
#include "observe/verdict.h"

namespace pkvmemu::observe {

/// What was touched, and SMCs of the user's that nobody answered.
void add_world(const device::WorldUse& world, std::vector<VerdictLine>& lines);

}  // namespace pkvmemu::observe
