// SPDX-License-Identifier: GPL-2.0-only
// __pkvm_init_module in the form of 6.1 and 6.6 (pkvm-abi.md 3.3): enter a module with the ops
// table that fits its generation and the way it was compiled.
#pragma once

#include "support/address.h"

namespace pkvmemu::hyp {

/// What the module's init returned. Nothing is undone here when it fails: the host unmaps.
int init_module(HypVa init);

}  // namespace pkvmemu::hyp
