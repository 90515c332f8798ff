// SPDX-License-Identifier: GPL-2.0-only
// Pages of the hypervisor's in blocks of 2^order, as an IOMMU driver wants them for its tables
// (pkvm-abi.md 1.6, iommu_donate_pages). Free blocks that are each other's buddies become one.
//
// A free block's first word links it to the next of its order; hyp_page says of the first page of a
// block that is out what order it has and which pool it belongs to. Locking is the caller's.
#pragma once

#include <array>
#include <cstdint>

#include "hyp/linear_map.h"
#include "hyp/memory_map.h"
#include "hyp/status.h"
#include "hyp/vmemmap.h"

namespace pkvmemu::hyp {

class BlockPool {
 public:
  static constexpr unsigned largest_order = 18;  ///< what a memcache can bring

  /// `id` tells this pool's blocks from others', below 8; no block grows beyond `largest`.
  constexpr BlockPool(LinearMap linear, Vmemmap vmemmap, unsigned id,
                      unsigned largest = largest_order)
      : linear_(linear), vmemmap_(vmemmap), id_(id), largest_(largest) {}

  /// Pages that are the hypervisor's own by now.
  void add(PaRange pages);
  /// A zeroed block; -ENOMEM when there is none as large.
  Expected<Pa> take(unsigned order);
  /// Fatal unless `take(order)` answered it.
  void give_back(Pa block, unsigned order);
  /// Is the block out, and of this pool?
  bool is_out(Pa block) const;
  /// A free block, which is no longer the pool's.
  Expected<PaRange> remove(unsigned order);

  std::uint64_t free_pages() const { return free_; }
  /// Free blocks of exactly this order.
  std::uint64_t free_blocks(unsigned order) const;

 private:
  static constexpr unsigned order_bits = 5;

  void add_block(Pa block, unsigned order);
  /// Of any order that is enough; the rest stays.
  Expected<Pa> split_off(unsigned order);
  void push(Pa block, unsigned order);
  Pa pop(unsigned order);
  bool unlink(Pa block, unsigned order);
  std::uint64_t& link(Pa block) const { return *linear_.pointer<std::uint64_t>(block); }

  LinearMap linear_;
  Vmemmap vmemmap_;
  unsigned id_;
  unsigned largest_;
  std::array<Pa, largest_order + 1> heads_{};  ///< 0 ends a list
  std::uint64_t free_ = 0;
};

}  // namespace pkvmemu::hyp
