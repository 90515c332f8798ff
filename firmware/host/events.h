// SPDX-License-Identifier: GPL-2.0-only
// The host's event ring: one per kernel, silent until it is attached.
#pragma once

#include "lib/event_ring.h"

namespace pkvmemu::host {

fw::EventRing& events();

}  // namespace pkvmemu::host
