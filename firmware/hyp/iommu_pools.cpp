// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/iommu_pools.h"

#include <algorithm>

#include "lib/fault.h"
#include "lib/memory.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

constexpr unsigned system_id = 1, atomic_id = 2, cma_id = 3;
/// Noted in hyp_page::order of a page that came from a VM's pool; no BlockPool's note is as large.
constexpr std::uint8_t guest_mark = 0xFF;

}  // namespace

IommuPools::IommuPools(HypSpace& space, Ownership& ownership, Vmemmap vmemmap, PaRange cma,
                       pkvm::Generation generation)
    : space_(&space),
      ownership_(&ownership),
      vmemmap_(vmemmap),
      cma_window_(cma),
      rules_(&iommu_rules(generation)),
      system_(space.linear(), vmemmap, system_id),
      atomic_(space.linear(), vmemmap, atomic_id),
      cma_(space.linear(), vmemmap, cma_id, cma_order) {}

/// A VM's pool has single pages only.
Expected<Pa> IommuPools::take(const Wish& wish) {
  if (wish.guest != nullptr) {
    if (wish.order != 0) return error(Errno::enomem);
    const Expected<Pa> page = wish.guest->take_page();
    if (page) vmemmap_.page(*page).order = guest_mark;
    return page;
  }
  const Expected<Pa> block = cma_.take(wish.order);
  return block ? block : system_.take(wish.order);
}

/// One that waits already is as good.
void IommuPools::ask_host(unsigned cpu, std::uint64_t bytes) {
  // NOLINTNEXTLINE(bugprone-unused-return-value)
  (void)requests_.put_iommu_memory(cpu, bytes);
}

HypVa IommuPools::donate(const Wish& wish, unsigned cpu) {
  const fw::LockGuard guard(lock_);
  const Expected<Pa> block = take(wish);
  const std::uint64_t bytes = wish.order <= BlockPool::largest_order ? page_size << wish.order : 0;
  if (!block) {
    if (wish.on_failure == OnFailure::ask_host && bytes != 0) ask_host(cpu, bytes);
    return HypVa{0};
  }
  if (wish.caching == Caching::uncached && !make_uncached({*block, *block + bytes})) {
    if (wish.guest != nullptr)
      wish.guest->give_back(*block);
    else
      owner_of(*block)->give_back(*block, wish.order);
    return HypVa{0};
  }
  return space_->linear().hyp_va(*block);
}

HypVa IommuPools::donate_atomic(unsigned order, unsigned cpu) {
  const fw::LockGuard guard(lock_);
  const Expected<Pa> block = atomic_.take(order);
  if (block) return space_->linear().hyp_va(*block);
  if (rules_->atomic_pool_requests && order <= BlockPool::largest_order)
    ask_host(cpu, page_size << order);
  return HypVa{0};
}

/// False without tables for an alias of pages.
bool IommuPools::make_uncached(PaRange range) {
  arch::flush_dcache(space_->linear().pointer<void>(range.begin), range.size());
  const Prot uncached{prot_rw.value | Prot::nc};
  if (space_->remap_linear(range, uncached, PageState::owned)) return true;
  make_cached(range);
  return false;
}

/// A block that was made uncached is mapped by pages, so that no table is needed on the way back.
void IommuPools::make_cached(PaRange range) {
  for (Pa page = range.begin; page < range.end; page = page + page_size) {
    const Descriptor alias = space_->linear_leaf(page).descriptor;
    if ((alias.value & stage1_attribute_index) == 0) continue;
    check(space_->remap_linear({page, page + page_size}, prot_rw, PageState::owned).has_value());
  }
}

BlockPool* IommuPools::owner_of(Pa block) {
  for (BlockPool* pool : {&cma_, &system_, &atomic_})
    if (pool->is_out(block)) return pool;
  return nullptr;
}

void IommuPools::reclaim(HypVa block, unsigned order, GuestPool* guest) {
  const fw::LockGuard guard_of_pools(lock_);
  const Pa begin = space_->linear().hyp_pa(block);
  check(is_aligned(begin.value, page_size) && order <= BlockPool::largest_order);
  HypPage& page = vmemmap_.page(begin);
  if (page.order == guest_mark) {
    check(order == 0);
    page.order = 0;
    make_cached({begin, begin + page_size});
    if (guest != nullptr)
      guest->give_back(begin);
    else  // Its VM is not at hand: the page stays in use here.
      system_.add({begin, begin + page_size});
    return;
  }
  BlockPool* const pool = owner_of(begin);
  check(pool != nullptr);
  make_cached({begin, begin + (page_size << order)});
  pool->give_back(begin, order);
}

/// -EINVAL for a part of the CMA window that is no block of it.
Expected<BlockPool*> IommuPools::destination(PaRange block) {
  const bool outside = block.end <= cma_window_.begin || block.begin >= cma_window_.end;
  if (outside) return &system_;
  constexpr std::uint64_t block_size = page_size << cma_order;
  const bool whole = cma_window_.contains(block) && block.size() == block_size &&
                     is_aligned(block.begin.value, block_size);
  if (!whole) return error(Errno::einval);
  return &cma_;
}

Status IommuPools::refill(Memcache& cache) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.iommu.refill", Errno::eperm,
                                               "the host refills the IOMMU driver's pools"))
    return injected(fault);
  while (!cache.empty()) {
    const Expected<PaRange> block = cache.take(*ownership_, space_->linear());
    if (!block) return error(block.error());
    const Expected<BlockPool*> pool = destination(*block);
    if (!pool) {
      cache.give(*block, *ownership_, space_->linear());
      return error(pool.error());
    }
    const fw::LockGuard guard(lock_);
    (*pool)->add(*block);
  }
  return {};
}

Status IommuPools::refill_atomic(Memcache cache) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.iommu.refill_atomic", Errno::eperm,
                                               "the pages that an IOMMU driver brings along"))
    return injected(fault);
  while (!cache.empty()) {
    const Expected<PaRange> block = cache.take(*ownership_, space_->linear());
    if (!block) return error(block.error());
    const fw::LockGuard guard(lock_);
    atomic_.add(*block);
  }
  return {};
}

std::uint64_t IommuPools::reclaimable() {
  const fw::LockGuard guard(lock_);
  return system_.free_pages() + (cma_.free_blocks(cma_order) << cma_order);
}

/// Single pages of the system pool; of CMA, blocks as a whole, which are all that the host can use.
Expected<PaRange> IommuPools::remove(std::uint64_t pages) {
  const fw::LockGuard guard(lock_);
  if (pages == 0) return error(Errno::enomem);
  const Expected<PaRange> page = system_.remove(0);
  if (page) return page;
  return pages >> cma_order != 0 ? cma_.remove(cma_order) : page;
}

void IommuPools::reclaim_to(Memcache& cache, std::uint64_t target) {
  std::uint64_t given = cache.blocks;  // which are single pages so far
  while (true) {
    // The host's lock comes before ours: not while it gets its pages.
    const Expected<PaRange> block = remove(target - std::min(given, target));
    if (!block) return;
    fw::fill_bytes(space_->linear().pointer<void>(block->begin), 0, block->size());
    cache.give(*block, *ownership_, space_->linear());
    given += block->size() / page_size;
  }
}

}  // namespace pkvmemu::hyp
