// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/vm/guest_pool.h"

#include "lib/fault.h"
#include "lib/memory.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

Status GuestPool::refill(pkvm::Memcache& from, std::uint64_t wanted, Ownership& ownership) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.guest.refill", Errno::enomem, "pages of a vCPU's memcache"))
    return injected(fault);
  // The host can change `from` while we read it, so each value is read once, and what a page links
  // to is read only when the page is no longer the host's.
  while (free_ < wanted) {
    const std::uint64_t pages = __atomic_load_n(&from.pages, __ATOMIC_RELAXED);
    const Pa page{align_down(__atomic_load_n(&from.head, __ATOMIC_RELAXED), page_size)};
    if (pages == 0) return {};
    const Status donated =
        ownership.host_donate_hyp(pfn_of(page).value, 1, Accept::memory_only, prot_rw);
    if (!donated) return donated;
    const std::uint64_t next = *map().pointer<std::uint64_t>(page);
    __atomic_store_n(&from.head, next, __ATOMIC_RELAXED);
    __atomic_store_n(&from.pages, pages - 1, __ATOMIC_RELAXED);
    give_back(page);
  }
  return {};
}

Expected<Pa> GuestPool::pop() {
  if (free_ == 0) return error(Errno::enomem);
  const Pa page = head_;
  head_ = Pa{*map().pointer<std::uint64_t>(page)};
  --free_;
  return page;
}

Expected<Pa> GuestPool::take_page() {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.guest.table", Errno::enomem, "a page for a guest's stage 2"))
    return injected(fault);
  const Expected<Pa> page = pop();
  if (page) fw::fill_bytes(map().pointer<void>(*page), 0, page_size);
  return page;
}

void GuestPool::give_back(Pa page) {
  *map().pointer<std::uint64_t>(page) = head_.value;
  head_ = page;
  ++free_;
}

void GuestPool::return_all(pkvm::Memcache& to, Ownership& ownership) {
  for (Expected<Pa> page = pop(); page; page = pop())
    return_page(*page, to, ownership, map());
}

void return_page(Pa page, pkvm::Memcache& to, Ownership& ownership, const LinearMap& linear) {
  auto* const words = linear.pointer<std::uint64_t>(page);
  fw::fill_bytes(words, 0, page_size);
  words[0] = to.head;
  arch::flush_dcache(words, page_size);
  check(ownership.hyp_donate_host(pfn_of(page).value, 1).has_value());
  to.head = page.value;
  ++to.pages;
}

}  // namespace pkvmemu::hyp
