// SPDX-License-Identifier: GPL-2.0-only
// What the ops do (pkvm-abi.md 1.6), in the hypervisor's own types; ops_thunks.cpp puts the ABI's
// types and hashes in front.
#pragma once

#include <cstdint>
#include <string_view>

#include "hyp/ownership.h"
#include "hyp/prot.h"
#include "support/address.h"

namespace pkvmemu::hyp::ops {

/// `where` gets the address only on success.
int create_private_mapping(Pa pa, std::uint64_t size, Prot prot, unsigned long* where);
/// Null when the private range is used up.
void* alloc_module_va(std::uint64_t pages);
int map_module_page(std::uint64_t pfn, HypVa va, Prot prot);
int map_protected_page(std::uint64_t pfn, HypVa va, Prot prot);
int register_serial_driver(HypVa callback);
void* fixmap_map(Pa pa);
void fixmap_unmap();
int host_donate_hyp(std::uint64_t pfn, std::uint64_t pages, Accept accept, Prot prot);
/// 6.1 has no way to say it: the generation decides.
int host_donate_hyp(std::uint64_t pfn, std::uint64_t pages);
int hyp_donate_host(std::uint64_t pfn, std::uint64_t pages);
int host_share_hyp(std::uint64_t pfn);
int host_unshare_hyp(std::uint64_t pfn);
int pin_shared_mem(HypVa from, HypVa to);
void unpin_shared_mem(HypVa from, HypVa to);
std::uint64_t kern_hyp_va(std::uint64_t kernel_va);
void udelay(std::uint64_t microseconds);

/// An op that does not exist yet was called from `caller`: the machine hears of it.
void report_missing(std::string_view name, std::uint64_t caller);

}  // namespace pkvmemu::hyp::ops
