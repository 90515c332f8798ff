// SPDX-License-Identifier: GPL-2.0-only
// Pages in use by devices (pkvm-abi.md 1.6, 7.3, 7.6): what the host maps in an IOMMU domain.
#include <limits>

#include "hyp/ownership.h"
#include "hyp/page_ranges.h"
#include "lib/fault.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

bool is_whole_pages(PaRange range) {
  return range.begin <= range.end && is_aligned(range.begin.value, page_size) &&
         is_aligned(range.end.value, page_size);
}

/// The host reaches it with the default protection.
bool is_reached(PageState state) {
  return state == PageState::owned || state == PageState::shared_owned ||
         state == PageState::shared_borrowed;
}

}  // namespace

Status Ownership::check_dma_use(Pa page) const {
  const PageState state = host_state(page);
  const bool ram = host_->memory().is_ram(page);
  const bool good =
      ram ? is_reached(state) : state == PageState::owned || state == PageState::tainted;
  if (!good) return error(Errno::eperm);
  if (!ram) return {};
  const bool full = vmemmap_.page(page).refcount == std::numeric_limits<std::uint16_t>::max();
  return full ? error(Errno::ebusy) : Status{};
}

Status Ownership::host_use_dma(PaRange range) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.dma.use", Errno::eperm,
                                               "pages of the host come into use by a device"))
    return injected(fault);
  const fw::LockGuard guard(host_->lock());
  if (!is_whole_pages(range)) return error(Errno::einval);
  const Status usable = for_each_page(range, [&](Pa page) { return check_dma_use(page); });
  if (!usable) return usable;
  return for_each_page(range, [&](Pa page) -> Status {
    if (host_->memory().is_ram(page)) {
      ++vmemmap_.page(page).refcount;
      return {};
    }
    if (host_state(page) == PageState::tainted) return {};
    return after_checks(host_->set({page, page + page_size}, prot_device, PageState::tainted));
  });
}

bool Ownership::is_guests(Pa page) const {
  const Descriptor entry = host_->leaf(page).descriptor;
  const OwnerId guest{rules_->owner_ids[static_cast<std::size_t>(Owner::guest)]};
  return !is_valid(entry) && annotated_owner(entry) == guest;
}

Status Ownership::check_dma_unuse(Pa page, DmaUser user) const {
  const bool guests = is_guests(page);
  if (user == DmaUser::guest && !guests) return error(Errno::eperm);
  if (user == DmaUser::host && (guests || host_state(page) == PageState::no_page))
    return error(Errno::eperm);
  if (!host_->memory().is_ram(page)) return {};
  return vmemmap_.page(page).refcount != 0 ? Status{} : error(Errno::einval);
}

Status Ownership::unuse_dma(PaRange range, DmaUser user) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.dma.unuse", Errno::eperm, "a device no longer uses pages"))
    return injected(fault);
  const fw::LockGuard guard(host_->lock());
  if (!is_whole_pages(range)) return error(Errno::einval);
  const Status used = for_each_page(range, [&](Pa page) { return check_dma_unuse(page, user); });
  if (!used) return used;
  return for_each_page(range, [&](Pa page) -> Status {
    if (host_->memory().is_ram(page)) --vmemmap_.page(page).refcount;
    return {};
  });
}

}  // namespace pkvmemu::hyp
