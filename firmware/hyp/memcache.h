// SPDX-License-Identifier: GPL-2.0-only
// A memcache (pkvm-abi.md 7.8): pages that travel between host and hypervisor as a list. Each
// block's first word holds the physical address of the next one, with that block's order in the low
// bits; the head has the same form.
#pragma once

#include <bit>
#include <cstdint>

#include "hyp/linear_map.h"
#include "hyp/memory_map.h"
#include "hyp/ownership.h"
#include "hyp/status.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

struct Memcache {
  std::uint64_t head = 0;
  std::uint64_t blocks = 0;

  bool empty() const { return blocks == 0; }

  /// The first block, now the hypervisor's: its link is read only then. -EINVAL for an order that
  /// no allocator of the kernel's makes.
  Expected<PaRange> take(Ownership& ownership, const LinearMap& linear) {
    constexpr std::uint64_t largest_order = 18;
    const Pa block{align_down(head, page_size)};
    const std::uint64_t order = head & low_mask(page_shift);
    if (order > largest_order) return error(Errno::einval);
    const std::uint64_t count = std::uint64_t{1} << order;
    const Status donated =
        ownership.host_donate_hyp(pfn_of(block).value, count, Accept::memory_only, prot_rw);
    if (!donated) return error(donated.error());
    head = *linear.pointer<std::uint64_t>(block);
    --blocks;
    return PaRange{block, block + (count * page_size)};
  }

  /// Puts a page of the hypervisor's in front, and gives it to the host.
  void give(Pa page, Ownership& ownership, const LinearMap& linear) {
    give({page, page + page_size}, ownership, linear);
  }
  /// The same for a block, whose size is a power of two.
  void give(PaRange block, Ownership& ownership, const LinearMap& linear) {
    const std::uint64_t pages = block.size() / page_size;
    *linear.pointer<std::uint64_t>(block.begin) = head;
    head = block.begin.value | static_cast<std::uint64_t>(std::countr_zero(pages));
    ++blocks;
    check(ownership.hyp_donate_host(pfn_of(block.begin).value, pages).has_value());
  }
};

}  // namespace pkvmemu::hyp
