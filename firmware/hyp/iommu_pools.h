// SPDX-License-Identifier: GPL-2.0-only
// Pages for the tables of IOMMU drivers (pkvm-abi.md 1.6, 7.8): what the host brings by
// __pkvm_hyp_alloc_mgt_refill goes to the system pool or, blocks of its CMA window (6.6), to a pool
// of their own; what it brings by __pkvm_iommu_init to the atomic pool. A block returns to the pool
// that it came from.
#pragma once

#include <cstdint>

#include "hyp/block_pool.h"
#include "hyp/hyp_request.h"
#include "hyp/hyp_space.h"
#include "hyp/iommu_rules.h"
#include "hyp/memcache.h"
#include "hyp/ownership.h"
#include "hyp/vm/guest_pool.h"
#include "lib/spinlock.h"

namespace pkvmemu::hyp {

enum class Caching : std::uint8_t { cached, uncached };
enum class OnFailure : std::uint8_t { ask_host, just_fail };

class IommuPools {
 public:
  IommuPools(HypSpace& space, Ownership& ownership, Vmemmap vmemmap, PaRange cma,
             pkvm::Generation generation);

  struct Wish {
    unsigned order;
    OnFailure on_failure;
    Caching caching = Caching::cached;
    /// The pool of the loaded protected vCPU's VM; null without one.
    GuestPool* guest = nullptr;
  };
  /// Zeroed pages, at their linear address; 0 when there are none.
  HypVa donate(const Wish& wish, unsigned cpu);
  HypVa donate_atomic(unsigned order, unsigned cpu);
  /// `guest` as for donate. Fatal for what is not out, or out with another order.
  void reclaim(HypVa block, unsigned order, GuestPool* guest);

  /// Blocks that were taken before a refused one stay; `cache` is left with the rest, a block that
  /// was given back in front.
  Status refill(Memcache& cache);
  /// What was taken stays.
  Status refill_atomic(Memcache cache);
  /// Pages that reclaim could return: not those for atomic use.
  std::uint64_t reclaimable();
  /// Adds blocks of the two pools, zeroed and the host's again, up to `target` pages with those
  /// that are in it.
  void reclaim_to(Memcache& cache, std::uint64_t target);

  std::uint64_t atomic_pages() const { return atomic_.free_pages(); }
  Requests& requests() { return requests_; }

 private:
  static constexpr unsigned cma_order = 9;  ///< 2 MiB

  void ask_host(unsigned cpu, std::uint64_t bytes);
  Expected<Pa> take(const Wish& wish);
  bool make_uncached(PaRange range);
  void make_cached(PaRange range);
  BlockPool* owner_of(Pa block);
  Expected<PaRange> remove(std::uint64_t pages);
  Expected<BlockPool*> destination(PaRange block);

  HypSpace* space_;
  Ownership* ownership_;
  Vmemmap vmemmap_;
  PaRange cma_window_;
  const IommuRules* rules_;
  BlockPool system_;
  BlockPool atomic_;
  BlockPool cma_;
  Requests requests_;
  fw::Spinlock lock_;
};

}  // namespace pkvmemu::hyp
