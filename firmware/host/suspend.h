// SPDX-License-Identifier: GPL-2.0-only
// The kernel suspends its CPU by PSCI (Arm DEN 0022, 5.4 and 5.20) and goes on, whichever way it
// comes back: from the call, or at the entry point with its registers lost.
#pragma once

#include "host/arch.h"

namespace pkvmemu::host {

struct Suspended {
  arch::CallRegisters x{};  ///< the call's answer; 0 when it was not the call that came back
  bool entered = false;     ///< at the entry point
};

/// `x` is the call but for its entry point address and context id, which are in x[entry] and the
/// next register. The virtual timer wakes the CPU up a millisecond later.
Suspended suspend(const arch::CallRegisters& x, unsigned entry);

}  // namespace pkvmemu::host
