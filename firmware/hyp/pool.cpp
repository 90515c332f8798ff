// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/pool.h"

#include <limits>

#include "lib/fault.h"
#include "lib/memory.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

Expected<Pa> EarlyPages::take(std::uint64_t count, std::uint64_t alignment) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.early.take", Errno::enomem,
                                               "pages for the hypervisor itself, at its start"))
    return injected(fault);
  const Pa begin{align_up(next_.value, alignment)};
  const std::uint64_t size = count * page_size;
  if (begin > end_ || end_ - begin < size) return error(Errno::enomem);
  next_ = begin + size;
  fw::fill_bytes(map().pointer<void>(begin), 0, size);
  return begin;
}

PagePool::PagePool(LinearMap map, Vmemmap vmemmap, Extent extent)
    : PageSource(map),
      vmemmap_(vmemmap),
      begin_(extent.begin),
      end_(extent.end),
      fresh_(extent.free),
      free_((extent.end - extent.free) >> page_shift) {
  for (Pa page = extent.begin; page < extent.free; page = page + page_size)
    vmemmap_.page(page).refcount = 1;
}

void PagePool::push(Pa page) {
  vmemmap_.page(page).refcount = 0;
  *map().pointer<std::uint64_t>(page) = head_.value;
  head_ = page;
  ++free_;
}

Expected<Pa> PagePool::take_page() {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.pool.take", Errno::enomem,
                                               "a page of the hypervisor's pool: page tables"))
    return injected(fault);
  const fw::LockGuard guard(lock_);
  if (free_ == 0) return error(Errno::enomem);
  const bool returned = head_ != Pa{0};
  const Pa page = returned ? head_ : fresh_;
  if (returned)
    head_ = Pa{*map().pointer<std::uint64_t>(page)};
  else
    fresh_ = fresh_ + page_size;
  --free_;
  vmemmap_.page(page).refcount = 1;
  fw::fill_bytes(map().pointer<void>(page), 0, page_size);
  return page;
}

void PagePool::give_back(Pa page) {
  const fw::LockGuard guard(lock_);
  check(page >= begin_ && page < end_ && vmemmap_.page(page).refcount == 1);
  push(page);
}

void PagePool::hold(Pa page) {
  const fw::LockGuard guard(lock_);
  std::uint16_t& references = vmemmap_.page(page).refcount;
  check(references != 0 && references != std::numeric_limits<std::uint16_t>::max());
  ++references;
}

void PagePool::let_go(Pa page) {
  const fw::LockGuard guard(lock_);
  if (is_held(page)) --vmemmap_.page(page).refcount;
}

}  // namespace pkvmemu::hyp
