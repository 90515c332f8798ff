// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/hyp_heap.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "lib/fault.h"
#include "lib/memory.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

struct HypHeap::Chunk {
  std::uint64_t mark;  ///< says that a chunk starts here
  std::uint64_t size;  ///< bytes in use behind the header; 0: free
  std::uint64_t span;  ///< to the next chunk
  HypVa prev;          ///< 0 for the first

  static constexpr std::uint64_t mark_of(HypVa at) { return at.value ^ 0x7061'6568'2d70'7968; }
};

namespace {

constexpr std::uint64_t header = 32;

constexpr HypVa page_of(HypVa at) {
  return HypVa{align_down(at.value, page_size)};
}
constexpr HypVa page_from(HypVa at) {
  return HypVa{align_up(at.value, page_size)};
}

}  // namespace

std::byte* HypHeap::alias_of(HypVa at) const {
  const Pa page = address_of(space_->table().leaf(at.value).descriptor);
  return space_->linear().pointer<std::byte>(page + (at.value % page_size));
}

HypHeap::Chunk& HypHeap::chunk_at(HypVa at) const {
  static_assert(sizeof(Chunk) == header && header == granule);
  return *reinterpret_cast<Chunk*>(alias_of(at));
}

Pa HypHeap::pop_page() {
  const Pa page = cached_;
  auto* link = space_->linear().pointer<std::uint64_t>(page);
  cached_ = Pa{*link};
  *link = 0;
  --cached_pages_;
  return page;
}

void HypHeap::push_page(Pa page) {
  *space_->linear().pointer<std::uint64_t>(page) = cached_.value;
  cached_ = page;
  ++cached_pages_;
}

/// First free chunk of at least `span`, else the top.
HypVa HypHeap::find(std::uint64_t span) const {
  HypVa at = begin_;
  while (at < top_) {
    const Chunk& chunk = chunk_at(at);
    if (chunk.size == 0 && chunk.span >= span) return at;
    at = at + chunk.span;
  }
  return top_;
}

/// Puts donated pages behind [from, to) where there are none.
Status HypHeap::back(HypVa from, HypVa to) {
  std::uint64_t lacking = 0;
  for (HypVa page = page_of(from); page < to; page = page + page_size)
    if (!space_->is_mapped(page)) ++lacking;
  if (lacking > cached_pages_) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint8_t>::max();
    missing_ = static_cast<std::uint8_t>(std::min(lacking - cached_pages_, most));
    return error(Errno::enomem);
  }
  for (HypVa page = page_of(from); page < to; page = page + page_size) {
    if (space_->is_mapped(page)) continue;
    const Pa frame = pop_page();
    if (!space_->map_at(page, frame, page_size, prot_rw)) {
      push_page(frame);
      return error(rules_->no_table);
    }
    mapped_end_ = std::max(mapped_end_, page + page_size);
  }
  return {};
}

/// Makes [at, at + span) a chunk, in use when `size` is not 0.
void HypHeap::place(HypVa at, std::uint64_t span, std::uint64_t size) {
  Chunk& chunk = chunk_at(at);
  chunk.mark = Chunk::mark_of(at);
  chunk.size = size;
  chunk.span = span;
  if (at + span < top_)
    chunk_at(at + span).prev = at;
  else
    last_ = at;
}

void HypHeap::fill_zero(HypVa from, HypVa to) const {
  while (from < to) {
    const std::uint64_t part = std::min(to - from, page_size - (from.value % page_size));
    fw::fill_bytes(alias_of(from), 0, part);
    from = from + part;
  }
}

Expected<HypVa> HypHeap::allocate(std::uint64_t size) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.heap.alloc", Errno::enomem, "memory of the hypervisor's heap"))
    return injected(fault);
  if (size > Layout::heap_size) return error(Errno::e2big);
  const std::uint64_t used = std::max<std::uint64_t>(size, 1);
  const std::uint64_t span = header + align_up(used, granule);
  const fw::LockGuard guard(lock_);
  missing_ = 0;
  const HypVa at = find(span);
  const bool is_new = at == top_;
  if (is_new && span > end() - top_) return error(Errno::e2big);
  const std::uint64_t room = is_new ? span : chunk_at(at).span;
  const bool splits = room - span >= header + granule;
  const HypVa backed_to = at + span + (splits ? header : 0);
  if (const Status backed = back(at, backed_to); !backed) return error(backed.error());

  if (is_new) {
    chunk_at(at).prev = last_;
    top_ = at + span;
  }
  if (splits) {
    chunk_at(at + span).prev = at;
    place(at + span, room - span, 0);
  }
  const std::uint64_t own = splits ? span : room;
  place(at, own, used);
  fill_zero(at + header, at + own);
  return at + header;
}

/// Joins a free chunk with the free one behind it.
HypVa HypHeap::merge(HypVa at) {
  Chunk& chunk = chunk_at(at);
  const HypVa next = at + chunk.span;
  if (next < top_ && chunk_at(next).size == 0) {
    const std::uint64_t span = chunk.span + chunk_at(next).span;
    chunk_at(next).mark = 0;
    place(at, span, 0);
  }
  return at;
}

void HypHeap::free(HypVa address) {
  const fw::LockGuard guard(lock_);
  const HypVa at = address - header;
  const bool inside = address > begin_ && address < top_ && is_aligned(at.value, granule);
  check(inside && space_->is_mapped(at));
  Chunk& chunk = chunk_at(at);
  check(chunk.mark == Chunk::mark_of(at) && chunk.size != 0);

  chunk.size = 0;
  HypVa joined = merge(at);
  const HypVa prev = chunk_at(joined).prev;
  if (prev != HypVa{0} && chunk_at(prev).size == 0) joined = merge(prev);
  if (joined + chunk_at(joined).span < top_) return;
  top_ = joined;
  last_ = chunk_at(joined).prev;
  chunk_at(joined).mark = 0;
}

std::uint8_t HypHeap::take_missing_donations() {
  const fw::LockGuard guard(lock_);
  const std::uint8_t missing = missing_;
  missing_ = 0;
  return missing;
}

Status HypHeap::refill(Memcache& cache) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.heap.refill", Errno::eperm,
                                               "the host refills the hypervisor's heap"))
    return injected(fault);
  while (!cache.empty()) {
    const Expected<PaRange> block = cache.take(*ownership_, space_->linear());
    if (!block) return error(block.error());
    const fw::LockGuard guard(lock_);
    for (Pa page = block->begin; page < block->end; page = page + page_size)
      push_page(page);
  }
  return {};
}

/// Mapped pages with nothing in use in them, and no header.
template <typename Function>
void HypHeap::for_each_idle_page(Function what) {
  const auto pages = [&](HypVa from, HypVa to) {
    for (HypVa page = page_from(from); page + page_size <= to; page = page + page_size)
      if (space_->is_mapped(page)) what(page);
  };
  for (HypVa at = begin_; at < top_; at = at + chunk_at(at).span)
    if (chunk_at(at).size == 0) pages(at + header, at + chunk_at(at).span);
  pages(top_, mapped_end_);
}

std::uint64_t HypHeap::reclaimable() {
  const fw::LockGuard guard(lock_);
  std::uint64_t count = cached_pages_;
  for_each_idle_page([&](HypVa /*page*/) { ++count; });
  return count;
}

Memcache HypHeap::reclaim(std::uint64_t target) {
  Memcache result;
  const fw::LockGuard guard(lock_);
  const auto give = [&](Pa page) {
    fw::fill_bytes(space_->linear().pointer<std::byte>(page), 0, page_size);
    result.give(page, *ownership_, space_->linear());
  };
  while (cached_pages_ != 0 && result.blocks < target)
    give(pop_page());
  for_each_idle_page([&](HypVa page) {
    if (result.blocks >= target) return;
    const Pa frame = address_of(space_->table().leaf(page.value).descriptor);
    check(space_->unmap_at(page, page_size).has_value());
    give(frame);
  });
  return result;
}

}  // namespace pkvmemu::hyp
