// SPDX-License-Identifier: GPL-2.0-only
// hyp_alloc and its kin (pkvm-abi.md 1.6): the heap as modules see it.
#pragma once

#include <cstdint>

#include "support/address.h"

namespace pkvmemu::hyp::ops {

/// Null on failure; hyp_alloc_errno says why.
void* hyp_alloc(std::uint64_t size);
/// Of this CPU's last hyp_alloc: 0 or a negative error.
int hyp_alloc_errno();
void hyp_free(HypVa address);
/// Pages that the host has to donate before the failed hyp_alloc can succeed; asking resets it.
std::uint8_t hyp_alloc_missing_donations();

}  // namespace pkvmemu::hyp::ops
