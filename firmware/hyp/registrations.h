// SPDX-License-Identifier: GPL-2.0-only
// What the init of a module registered at EL2 before it failed (pkvm-abi.md 3.4): released kernels
// keep it, and the next call of it runs into unmapped memory.
#pragma once

#include <string_view>

#include "hyp/hypervisor.h"
#include "hyp/module_range.h"
#include "pkvm/quirk.h"

namespace pkvmemu::hyp {

/// Takes away all that leads into the module, unless the defect is to be reproduced; reports it
/// when there is something.
void drop_registrations(Hypervisor& hyp, const ModuleRange& module, pkvm::Defects defects);

/// The op by which a module registered this very function; empty when none did.
std::string_view registered_with(const Hypervisor& hyp, HypVa function);

}  // namespace pkvmemu::hyp
