// SPDX-License-Identifier: GPL-2.0-only
// Exceptions that the hypervisor makes a guest take at EL1. The guest's EL1 registers are in place,
// its general registers, pc and pstate in its context.
#pragma once

#include "hyp/vm/vm.h"

namespace pkvmemu::hyp {

/// EL1h with DAIF masked: where exceptions and resets arrive.
inline constexpr std::uint64_t pstate_el1h_masked = 0x3C5;

/// A synchronous external abort (Arm ARM D17.2.37), as the access to nothing that the last exit was
/// of gets it; nothing where it was of none.
void inject_external_abort(Vcpu& vcpu);
/// An instruction that does not exist for this guest.
void inject_undefined(Vcpu& vcpu);

}  // namespace pkvmemu::hyp
