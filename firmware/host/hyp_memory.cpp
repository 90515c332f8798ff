// SPDX-License-Identifier: GPL-2.0-only
#include "host/hyp_memory.h"

#include <bit>

#include "host/kvm.h"
#include "host/memory.h"
#include "lib/fault.h"
#include "pkvm/errno.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

std::uint64_t pages_of_order(std::uint64_t order) {
  return std::uint64_t{1} << order;
}

/// The hypercall. One that fails leaves in `cache` what the hypervisor did not take, which it says
/// in x2 and x3; a kernel with the defect goes on with the list as it was.
int give_pages(HypAllocator id, HypMemcache& cache) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("host.hvc.refill", pkvm::Errno::eperm,
                                               "hypercall __pkvm_hyp_alloc_mgt_refill"))
    return fault.answer;
  const auto x = kvm().exchange(pkvm::Hypercall::pkvm_hyp_alloc_mgt_refill,
                                {static_cast<std::uint64_t>(id), cache.head, cache.blocks});
  if (!x) return pkvm::negated(pkvm::Errno::eopnotsupp);
  const auto answer = static_cast<int>((*x)[1]);
  const HypMemcache left{.head = (*x)[2], .blocks = (*x)[3]};
  const bool took_some = left.blocks < cache.blocks;
  if (answer == 0 || !took_some) return answer;
  if (!reproduces(kvm().quirks(), pkvm::Quirk::failed_refill_frees_given_pages)) cache = left;
  return answer;
}

}  // namespace

bool fill_memcache(HypMemcache& cache, std::uint64_t count, std::uint64_t bytes) {
  if (PKVM_FAULT_NOTHING("host.memcache.fill", "pages for a memcache of the hypervisor's"))
    return false;
  const std::uint64_t pages = align_up(bytes, page_size) >> page_shift;
  const auto order = static_cast<std::uint64_t>(std::bit_width(pages - 1));
  for (std::uint64_t i = 0; i < count; ++i) {
    // As the kernel's allocator has them: a block is aligned to its size.
    const auto block = take_zeroed_pages(pages_of_order(order), pages_of_order(order));
    if (!block) return false;
    *linear_pointer<std::uint64_t>(*block) = cache.head;
    cache.head = block->value | order;
    ++cache.blocks;
  }
  return true;
}

void free_memcache(HypMemcache& cache) {
  for (; cache.blocks != 0; --cache.blocks) {
    const Pa block{align_down(cache.head, page_size)};
    const std::uint64_t order = cache.head & low_mask(page_shift);
    cache.head = *linear_pointer<std::uint64_t>(block);
    free_pages(block, pages_of_order(order));
  }
}

int refill_hyp_allocator(HypAllocator id, HypMemcache& cache) {
  const int answer = give_pages(id, cache);
  if (answer == 0)
    cache = {};
  else
    free_memcache(cache);
  return answer;
}

int topup_hyp_allocator(HypAllocator id, std::uint64_t count, std::uint64_t bytes) {
  HypMemcache cache;
  if (!fill_memcache(cache, count, bytes)) {
    free_memcache(cache);
    return pkvm::negated(pkvm::Errno::enomem);
  }
  return refill_hyp_allocator(id, cache);
}

}  // namespace pkvmemu::host

namespace host = pkvmemu::host;

// The kernel's names (pkvm-abi.md 3.7). Sizes are those of one block, and 0 means a page.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" int export_topup_hyp_alloc(unsigned long nr_pages) {
  return host::topup_hyp_allocator(host::HypAllocator::heap, nr_pages, pkvmemu::page_size);
}

extern "C" int export_topup_hyp_alloc_mgt(unsigned long id, unsigned long nr_pages,
                                          unsigned long sz_alloc) {
  const unsigned long bytes = sz_alloc != 0 ? sz_alloc : pkvmemu::page_size;
  return host::topup_hyp_allocator(static_cast<host::HypAllocator>(id), nr_pages, bytes);
}

extern "C" int export_topup_hyp_alloc_mgt_gfp(unsigned long id, unsigned long nr_pages,
                                              unsigned long sz_alloc, unsigned /*gfp*/) {
  return export_topup_hyp_alloc_mgt(id, nr_pages, sz_alloc);
}

/// 6.6: the caller's own memcache, which is empty afterwards either way.
extern "C" int export_topup_hyp_alloc_mgt_mc(unsigned long id, host::HypMemcache* cache) {
  return host::refill_hyp_allocator(static_cast<host::HypAllocator>(id), *cache);
}

/// 6.6: at least so many blocks in the cache.
extern "C" int export_topup_hyp_memcache(host::HypMemcache* cache, unsigned long min_blocks,
                                         unsigned long order) {
  if (cache->blocks >= min_blocks) return 0;
  const bool filled =
      host::fill_memcache(*cache, min_blocks - cache->blocks, pkvmemu::page_size << order);
  return filled ? 0 : pkvm::negated(pkvm::Errno::enomem);
}

extern "C" void export_free_hyp_memcache(host::HypMemcache* cache) {
  host::free_memcache(*cache);
}
// NOLINTEND(readability-identifier-naming)
