// SPDX-License-Identifier: GPL-2.0-only
// SMC from the host (pkvm-abi.md 8.3): PSCI is relayed by one table, FF-A by another (ffa.h); then
// modules may take it; the rest goes to EL3 as it is.
#pragma once

#include <cstdint>

#include "hyp/abi_types.h"

namespace pkvmemu::hyp {

void handle_smc(user_pt_regs* regs, std::uint64_t esr);
/// x0 to x17, there and back.
void forward_to_el3(user_pt_regs* regs);

}  // namespace pkvmemu::hyp
