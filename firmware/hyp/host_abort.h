// SPDX-License-Identifier: GPL-2.0-only
// Stage-2 faults of the host (pkvm-abi.md 7.7): mapped on demand, or an abort injected into EL1.
#pragma once

#include <cstdint>

#include "hyp/abi_types.h"

namespace pkvmemu::hyp {

void handle_host_abort(user_pt_regs* regs, std::uint64_t esr);

/// Makes the host take, at its own vectors, the abort that `esr` describes: same-EL unless it came
/// from EL0, S1PTW set as the marker that the hypervisor did it.
void inject_abort(std::uint64_t esr);

}  // namespace pkvmemu::hyp
