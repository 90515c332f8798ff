// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/block_pool.h"

#include "lib/fault.h"
#include "lib/memory.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

constexpr std::uint64_t pages_of(unsigned order) {
  return std::uint64_t{1} << order;
}
constexpr std::uint64_t bytes_of(unsigned order) {
  return page_size << order;
}

}  // namespace

void BlockPool::push(Pa block, unsigned order) {
  link(block) = heads_[order].value;
  heads_[order] = block;
  free_ += pages_of(order);
}

Pa BlockPool::pop(unsigned order) {
  const Pa block = heads_[order];
  heads_[order] = Pa{link(block)};
  free_ -= pages_of(order);
  return block;
}

/// Takes a certain block out of its list; false when it is not free.
bool BlockPool::unlink(Pa block, unsigned order) {
  if (block == Pa{0}) return false;
  if (heads_[order] == block) {
    pop(order);
    return true;
  }
  for (Pa at = heads_[order]; at != Pa{0}; at = Pa{link(at)}) {
    if (Pa{link(at)} != block) continue;
    link(at) = link(block);
    free_ -= pages_of(order);
    return true;
  }
  return false;
}

void BlockPool::add_block(Pa block, unsigned order) {
  for (; order < largest_; ++order) {
    const Pa buddy{block.value ^ bytes_of(order)};
    if (!unlink(buddy, order)) break;
    if (buddy < block) block = buddy;
  }
  push(block, order);
}

void BlockPool::add(PaRange pages) {
  for (Pa at = pages.begin; at < pages.end;) {
    unsigned order = largest_;
    while (!is_aligned(at.value, bytes_of(order)) || bytes_of(order) > pages.end - at)
      --order;
    vmemmap_.page(at).refcount = 0;
    vmemmap_.page(at).order = 0;
    add_block(at, order);
    at = at + bytes_of(order);
  }
}

Expected<Pa> BlockPool::split_off(unsigned order) {
  unsigned found = order;
  while (found <= largest_ && heads_[found] == Pa{0})
    ++found;
  if (found > largest_) return error(Errno::enomem);
  const Pa block = pop(found);
  while (found > order) {
    --found;
    push(block + bytes_of(found), found);
  }
  return block;
}

Expected<Pa> BlockPool::take(unsigned order) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.iommu.take", Errno::enomem, "pages of the IOMMU driver's pools"))
    return injected(fault);
  const Expected<Pa> block = split_off(order);
  if (!block) return block;
  HypPage& page = vmemmap_.page(*block);
  page.refcount = 1;
  page.order = static_cast<std::uint8_t>(id_ << order_bits | order);
  fw::fill_bytes(linear_.pointer<void>(*block), 0, bytes_of(order));
  return block;
}

bool BlockPool::is_out(Pa block) const {
  const HypPage& page = vmemmap_.page(block);
  return page.refcount != 0 && static_cast<unsigned>(page.order >> order_bits) == id_;
}

void BlockPool::give_back(Pa block, unsigned order) {
  HypPage& page = vmemmap_.page(block);
  check(page.refcount == 1 && page.order == (id_ << order_bits | order));
  page.refcount = 0;
  page.order = 0;
  add_block(block, order);
}

Expected<PaRange> BlockPool::remove(unsigned order) {
  const Expected<Pa> block = split_off(order);
  if (!block) return error(block.error());
  return PaRange{*block, *block + bytes_of(order)};
}

std::uint64_t BlockPool::free_blocks(unsigned order) const {
  std::uint64_t count = 0;
  for (Pa at = heads_[order]; at != Pa{0}; at = Pa{link(at)})
    ++count;
  return count;
}

}  // namespace pkvmemu::hyp
