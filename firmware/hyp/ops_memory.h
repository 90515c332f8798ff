// SPDX-License-Identifier: GPL-2.0-only
// The ops on memory that are more than one call of Ownership or HypSpace (pkvm-abi.md 1.6, 1.7):
// like ops.h, in the hypervisor's own types.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hyp/host_abort.h"
#include "hyp/ownership.h"
#include "hyp/prot.h"
#include "support/address.h"

namespace pkvmemu::hyp::ops {

/// Null when it is refused.
void* linear_map_early(Pa pa, std::uint64_t size, Prot prot);
void linear_unmap_early(HypVa va, std::uint64_t size);
void* fixblock_map(Pa pa);
void fixblock_unmap();

int host_stage2_mod_prot(std::uint64_t pfn, Prot prot, std::uint64_t pages,
                         UpdateIommu update = UpdateIommu::no);
int host_stage2_enable_lazy_pte(std::uint64_t pfn, std::uint64_t pages);
int host_stage2_disable_lazy_pte(std::uint64_t pfn, std::uint64_t pages);
/// `where` gets the descriptor, `level` its level, only on success.
int host_stage2_get_leaf(Pa pa, unsigned long long* where, unsigned* level);
int host_stage2_get_leaf(Pa pa, unsigned long long* where, signed char* level);
/// `list` is the ABI's array of `entries` packed entries.
int host_donate_sglist_hyp(const void* list, std::size_t entries);

int register_host_perm_fault_handler(HypVa handler);
int register_illegal_abt_notifier(HypVa notifier);

}  // namespace pkvmemu::hyp::ops
