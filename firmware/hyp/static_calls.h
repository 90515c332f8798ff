// SPDX-License-Identifier: GPL-2.0-only
// The static hypercall table of each generation (pkvm-abi.md 5.2 to 5.4), made from the numbers in
// pkvm/hypercall.h and the handlers that exist. docs/fidelity.md lists the ones that do not.
#pragma once

#include <span>

#include "hyp/dispatch.h"
#include "pkvm/generation.h"
#include "pkvm/hypercall.h"

namespace pkvmemu::hyp {

/// Indexed by number; null where there is no handler.
std::span<const StaticCall> static_calls(pkvm::Generation generation);

/// The one call besides __pkvm_init that works before it.
void get_mdcr_el2(user_pt_regs* regs);

}  // namespace pkvmemu::hyp
