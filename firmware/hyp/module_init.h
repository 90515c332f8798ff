// SPDX-License-Identifier: GPL-2.0-only
// __pkvm_init_module (pkvm-abi.md 3.3): enter a module with the ops table that fits its generation
// and the way it was compiled. Up to 6.6 the host names the init function; 6.12 hands over a shared
// copy of the module's descriptor, which says where init is.
#pragma once

#include "support/address.h"

namespace pkvmemu::hyp {

/// What the module's init returned. Nothing is undone here when it fails: the host unmaps.
int init_module(HypVa init);

/// The same for a struct pkvm_el2_module of 6.12. A page that the host did not share faults.
int init_described_module(HypVa descriptor);

}  // namespace pkvmemu::hyp
