// SPDX-License-Identifier: GPL-2.0-only
// The modules' heap (pkvm-abi.md 1.6, hyp_alloc): a window of addresses behind which lie pages that
// the host donates when asked for, and may ask back when they are free.
//
//   window  [chunk][chunk]...[chunk] top            chunks by address, first fit
//   chunk   header of 32 bytes, then what the module got
//
// Headers lie in the pages themselves. They are reached through the pages' linear aliases, and no
// page with a header in it is ever given back.
#pragma once

#include <array>
#include <cstdint>

#include "hyp/hyp_space.h"
#include "hyp/layout.h"
#include "hyp/memcache.h"
#include "hyp/ownership.h"
#include "hyp/status.h"
#include "lib/spinlock.h"
#include "pkvm/generation.h"

namespace pkvmemu::hyp {

/// What the generations answer when there is no page for the window's own tables.
struct HeapRules {
  Errno no_table;
};

constexpr const HeapRules& heap_rules(pkvm::Generation id) {
  constexpr static std::array<HeapRules, pkvm::generation_count> rows = {{
      {.no_table = Errno::enomem},
      {.no_table = Errno::enomem},
      {.no_table = Errno::ebusy},
  }};
  return rows[static_cast<std::size_t>(id)];
}

class HypHeap {
 public:
  HypHeap(HypSpace& space, Ownership& ownership, pkvm::Generation generation)
      : space_(&space),
        ownership_(&ownership),
        rules_(&heap_rules(generation)),
        begin_(space.layout().heap),
        top_(begin_),
        mapped_end_(begin_) {}

  /// Zeroed memory. -ENOMEM: the host has to donate `missing_donations` first; -E2BIG: the window
  /// is too small.
  Expected<HypVa> allocate(std::uint64_t size);
  /// Fatal for what `allocate` did not return, or was freed already.
  void free(HypVa address);

  /// Pages that the last refused allocation lacked; 0 from then on.
  std::uint8_t take_missing_donations();

  /// Blocks that were taken before a refused one stay; `cache` is left with the rest.
  Status refill(Memcache& cache);
  /// Pages that reclaim could return.
  std::uint64_t reclaimable();
  /// Up to `target` pages, zeroed, the host's again.
  Memcache reclaim(std::uint64_t target);

 private:
  struct Chunk;
  static constexpr std::uint64_t granule = 32;

  HypVa end() const { return begin_ + Layout::heap_size; }
  Chunk& chunk_at(HypVa at) const;
  std::byte* alias_of(HypVa at) const;
  HypVa find(std::uint64_t span) const;
  Status back(HypVa from, HypVa to);
  void place(HypVa at, std::uint64_t span, std::uint64_t size);
  void fill_zero(HypVa from, HypVa to) const;
  HypVa merge(HypVa at);
  template <typename Function>
  void for_each_idle_page(Function what);
  Pa pop_page();
  void push_page(Pa page);

  HypSpace* space_;
  Ownership* ownership_;
  const HeapRules* rules_;
  HypVa begin_;
  HypVa top_;         ///< end of the last chunk
  HypVa last_{0};     ///< the last chunk; 0 for none
  HypVa mapped_end_;  ///< nothing is mapped from here on
  /// Donated pages that are not mapped in the window, linked through their first words.
  Pa cached_{0};
  std::uint64_t cached_pages_ = 0;
  std::uint8_t missing_ = 0;
  fw::Spinlock lock_;
};

}  // namespace pkvmemu::hyp
