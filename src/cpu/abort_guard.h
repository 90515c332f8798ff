// SPDX-License-Identifier: GPL-2.0-only
// The engine asserts where a decoder of its own meets an encoding that it does not expect, which a
// guest may well execute (0x4ecb26e3 for one). No guest may end the process: while a guard is
// active on a thread, abort() on that thread comes back here instead. The engine is unusable
// afterwards; outside of a guard, abort() is what it always was.
#pragma once

namespace pkvmemu::cpu {

/// Calls `body(argument)`; true when it returned, false when it aborted.
bool survives_abort(void (*body)(void*) noexcept, void* argument);

template <typename Body>
bool survives_abort(Body&& body) {
  return survives_abort([](void* argument) noexcept { (*static_cast<Body*>(argument))(); }, &body);
}

}  // namespace pkvmemu::cpu
