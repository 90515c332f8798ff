// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/ownership.h"

#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

/// Calls `what` for each page of the range until one fails.
template <typename Function>
Status for_each_page(PaRange range, Function what) {
  for (Pa pa = range.begin; pa < range.end; pa = pa + page_size) {
    const Status done = what(pa);
    if (!done) return done;
  }
  return {};
}

}  // namespace

PageState Ownership::host_state(Pa pa) const {
  return host_->memory().is_ram(pa) ? vmemmap_.page(pa).host_state : host_->mmio_state(pa);
}

bool Ownership::is_shareable_memory(Pa pa) const {
  return host_->memory().find(pa).kind == MemoryKind::ram;
}

Expected<PaRange> Ownership::range_of(std::uint64_t pfn, std::uint64_t pages) {
  if (!fits_physical(pfn, pages)) return error(Errno::eperm);
  const Pa begin = pa_of(Pfn{pfn});
  return PaRange{begin, begin + (pages * page_size)};
}

void Ownership::set_host_state(PaRange range, PageState state) {
  for (Pa pa = range.begin; pa < range.end; pa = pa + page_size)
    vmemmap_.page(pa).host_state = state;
}

Status Ownership::after_checks(Status status) const {
  check(status.has_value() || !rules_->out_of_memory_is_fatal);
  return status;
}

Status Ownership::check_host_memory(PaRange range, PageState state) const {
  return for_each_page(range, [&](Pa pa) -> Status {
    if (!is_shareable_memory(pa)) return error(Errno::eperm);
    if (vmemmap_.page(pa).host_state != state) return error(Errno::eperm);
    return {};
  });
}

Status Ownership::check_not_in_use(PaRange range, Errno answer) const {
  return for_each_page(range, [&](Pa pa) -> Status {
    return vmemmap_.page(pa).refcount == 0 ? Status{} : error(answer);
  });
}

Status Ownership::check_host_mmio(PaRange range) const {
  return for_each_page(range, [&](Pa pa) -> Status {
    return host_->mmio_state(pa) == PageState::owned ? Status{} : error(Errno::eperm);
  });
}

Status Ownership::host_share_hyp(std::uint64_t pfn) {
  const fw::LockGuard guard(host_->lock());
  const Expected<PaRange> page = range_of(pfn, 1);
  if (!page || !host_->memory().is_ram(*page)) return error(rules_->not_memory_share);
  if (const Status owned = check_host_memory(*page, PageState::owned); !owned) return owned;
  if (rules_->counts_references)
    if (const Status idle = check_not_in_use(*page, Errno::einval); !idle) return idle;

  const Status mapped =
      after_checks(space_->map_linear(*page, prot_rw, PageState::shared_borrowed));
  if (!mapped) return mapped;
  set_host_state(*page, PageState::shared_owned);
  return {};
}

Status Ownership::host_unshare_hyp(std::uint64_t pfn) {
  const fw::LockGuard guard(host_->lock());
  const Expected<PaRange> page = range_of(pfn, 1);
  if (!page || !host_->memory().is_ram(*page)) return error(rules_->not_memory_share);
  if (const Status shared = check_host_memory(*page, PageState::shared_owned); !shared)
    return shared;
  if (space_->linear_state(page->begin) != PageState::shared_borrowed) return error(Errno::eperm);
  if (const Status idle = check_not_in_use(*page, rules_->pinned_unshare); !idle) return idle;

  check(space_->unmap_linear(*page).has_value());
  set_host_state(*page, PageState::owned);
  return {};
}

Status Ownership::host_donate_hyp(std::uint64_t pfn, std::uint64_t pages, Accept accept,
                                  Prot alias) {
  const fw::LockGuard guard(host_->lock());
  const Expected<PaRange> range = range_of(pfn, pages);
  if (!range) return error(range.error());
  const bool memory = host_->memory().is_ram(*range);
  if (!memory && accept == Accept::memory_only) return error(Errno::eperm);
  if (!memory && !host_->memory().is_mmio(*range)) return error(Errno::einval);

  if (!memory) {
    if (const Status owned = check_host_mmio(*range); !owned) return owned;
    return donate(*range, Prot{alias.value | Prot::device});
  }
  if (const Status owned = check_host_memory(*range, PageState::owned); !owned) return owned;
  if (rules_->counts_references)
    if (const Status idle = check_not_in_use(*range, Errno::einval); !idle) return idle;
  return donate(*range, alias);
}

/// Both tables change or, where running out of memory is an answer, neither.
Status Ownership::donate(PaRange range, Prot alias) {
  const bool memory = host_->memory().is_ram(range);
  const Status mapped = space_->map_linear(range, alias, PageState::owned);
  if (!mapped) {
    // A protection that the page-table rules refuse is the caller's mistake, not our shortage.
    if (mapped.error() != Errno::einval) check(!rules_->out_of_memory_is_fatal);
    check(space_->unmap_linear(range).has_value());
    return mapped;
  }
  const Status annotated = host_->annotate(range, Owner::hyp);
  if (!annotated) {
    check(!rules_->out_of_memory_is_fatal);
    check(space_->unmap_linear(range).has_value());
    host_->undo_annotation(range, Owner::hyp);
    return annotated;
  }
  if (memory) set_host_state(range, PageState::no_page);
  return {};
}

Status Ownership::hyp_donate_host(std::uint64_t pfn, std::uint64_t pages) {
  const fw::LockGuard guard(host_->lock());
  const Expected<PaRange> range = range_of(pfn, pages);
  if (!range) return error(range.error());
  const bool memory = host_->memory().is_ram(*range);
  if (!memory && !host_->memory().is_mmio(*range)) return error(Errno::eperm);
  const Status owned = for_each_page(*range, [&](Pa pa) -> Status {
    const Descriptor d = space_->linear_leaf(pa).descriptor;
    const bool ours = is_valid(d) && state_of(d) == PageState::owned;
    return ours && hyp_permission(d) == prot_rw ? Status{} : error(Errno::eperm);
  });
  if (!owned) return owned;

  check(space_->unmap_linear(*range).has_value());
  const Status given = after_checks(host_->map_identity(*range));
  if (!given) return given;
  if (memory) set_host_state(*range, PageState::owned);
  return {};
}

Status Ownership::check_host_owns(PaRange range) const {
  if (!host_->memory().is_ram(range)) return error(Errno::eperm);
  if (const Status owned = check_host_memory(range, PageState::owned); !owned) return owned;
  return rules_->counts_references ? check_not_in_use(range, Errno::einval) : Status{};
}

Status Ownership::take_from_host(PaRange range, Owner owner) {
  const Status taken = after_checks(host_->annotate(range, owner));
  if (taken) set_host_state(range, PageState::no_page);
  return taken;
}

Status Ownership::give_to_host(PaRange range, PageState state) {
  const Status given = after_checks(host_->map_identity(range, state));
  if (given) set_host_state(range, state);
  return given;
}

Status Ownership::claim_for_hyp(PaRange range) {
  const Status annotated = host_->annotate(range, Owner::hyp);
  if (annotated) set_host_state(range, PageState::no_page);
  return annotated;
}

PaRange Ownership::pages_around(HypVa from, HypVa to) const {
  const LinearMap& linear = space_->linear();
  return {Pa{align_down(linear.hyp_pa(from).value, page_size)},
          Pa{align_up(linear.hyp_pa(to).value, page_size)}};
}

Status Ownership::pin_shared(HypVa from, HypVa to) {
  const fw::LockGuard guard(host_->lock());
  const PaRange range = pages_around(from, to);
  if (range.begin > range.end || !host_->memory().is_ram(range)) return error(Errno::eperm);
  if (const Status shared = check_host_memory(range, PageState::shared_owned); !shared)
    return shared;
  const Status borrowed = for_each_page(range, [&](Pa pa) -> Status {
    return space_->linear_state(pa) == PageState::shared_borrowed ? Status{} : error(Errno::eperm);
  });
  if (!borrowed) return borrowed;
  for (Pa pa = range.begin; pa < range.end; pa = pa + page_size)
    ++vmemmap_.page(pa).refcount;
  return {};
}

void Ownership::unpin_shared(HypVa from, HypVa to) {
  const fw::LockGuard guard(host_->lock());
  const PaRange range = pages_around(from, to);
  for (Pa pa = range.begin; pa < range.end; pa = pa + page_size)
    --vmemmap_.page(pa).refcount;
}

}  // namespace pkvmemu::hyp
