// SPDX-License-Identifier: GPL-2.0-only
// Memory that the kernel gives to the hypervisor's allocators (pkvm-abi.md 3.7, 4.4, 7.8).
#pragma once

#include <cstdint>

#include "support/address.h"

namespace pkvmemu::host {

/// struct kvm_hyp_memcache as all generations begin it.
struct HypMemcache {
  std::uint64_t head = 0;  ///< PA of the first block, its order in the low bits; so is each link
  std::uint64_t blocks = 0;
};

/// The hypervisor's allocators that take pages.
enum class HypAllocator : std::uint64_t { heap = 0, iommu = 1 };

/// Puts `count` zeroed blocks of `bytes` in front: false when memory runs out, with what was added
/// left there.
bool fill_memcache(HypMemcache& cache, std::uint64_t count, std::uint64_t bytes);
/// Gives all of it back to the kernel.
void free_memcache(HypMemcache& cache);

/// Gives the cache's pages to an allocator: 0 or a negative error, with what it did not take freed.
/// The cache is empty afterwards.
int refill_hyp_allocator(HypAllocator id, HypMemcache& cache);
/// The same with fresh pages.
int topup_hyp_allocator(HypAllocator id, std::uint64_t count, std::uint64_t bytes);

}  // namespace pkvmemu::host
