// SPDX-License-Identifier: GPL-2.0-only
// An SMC of a protected guest (pkvm-abi.md 8.4): offered to the modules' handlers where the VM was
// made so, otherwise the host's to know of.
#pragma once

#include "hyp/vm/guest_calls.h"

namespace pkvmemu::hyp {

Handled handle_guest_smc(Vcpu& vcpu);

}  // namespace pkvmemu::hyp
