// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/ownership.h"

#include "hyp/page_ranges.h"
#include "lib/fault.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

PageState Ownership::host_state(Pa pa) const {
  const MemoryKind kind = host_->memory().find(pa).kind;
  if (kind == MemoryKind::mmio) return host_->state(pa);
  if (kind == MemoryKind::no_map) return PageState::no_page;
  const PageState noted = vmemmap_.page(pa).host_state;
  if (!rules_->state_in_tables) return noted;
  return noted == HypPage::module_flag ? PageState::module_owned : host_->state(pa);
}

Expected<PaRange> Ownership::range_of(std::uint64_t pfn, std::uint64_t pages) const {
  if (pages > ~std::uint64_t{0} >> page_shift) return error(rules_->overflow);
  if (!fits_physical(pfn, pages)) return error(Errno::eperm);
  const Pa begin = pa_of(Pfn{pfn});
  return PaRange{begin, begin + (pages * page_size)};
}

/// In the vmemmap: all of the state from 6.6 on, the module's mark in 6.1.
void Ownership::mark_host_state(PaRange range, PageState state) {
  const PageState flag = has_module_mark(state) ? HypPage::module_flag : PageState::owned;
  for (Pa pa = range.begin; pa < range.end; pa = pa + page_size)
    vmemmap_.page(pa).host_state = rules_->state_in_tables ? flag : state;
}

Status Ownership::set_host_state(PaRange range, PageState state) {
  mark_host_state(range, state);
  const bool in_table = state == PageState::owned || state == PageState::shared_owned;
  if (!rules_->state_in_tables || !in_table) return {};
  return host_->set(range, prot_rwx, state);
}

Status Ownership::after_checks(Status status) const {
  const bool answers = !rules_->out_of_memory_is_fatal && status == error(Errno::enomem);
  check(status.has_value() || answers);
  return status;
}

Status Ownership::check_host_memory(PaRange range, PageState state) const {
  return for_each_page(range, [&](Pa pa) -> Status {
    return host_state(pa) == state ? Status{} : error(Errno::eperm);
  });
}

Status Ownership::check_not_in_use(PaRange range, Errno answer) const {
  if (answer == Errno::none) return {};
  return for_each_page(range, [&](Pa pa) -> Status {
    return vmemmap_.page(pa).refcount == 0 ? Status{} : error(answer);
  });
}

Status Ownership::check_host_owned(PaRange range) const {
  if (const Status owned = check_host_memory(range, PageState::owned); !owned) return owned;
  if (!host_->memory().is_ram(range)) return {};
  return check_not_in_use(range, rules_->counts_references ? Errno::einval : Errno::none);
}

Status Ownership::host_share_hyp(std::uint64_t pfn) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.share", Errno::eperm, "the host shares a page with the hypervisor"))
    return injected(fault);
  const fw::LockGuard guard(host_->lock());
  const Expected<PaRange> page = range_of(pfn, 1);
  if (!page || !host_->memory().is_ram(*page)) return error(rules_->not_memory_share);
  if (const Status owned = check_host_owned(*page); !owned) return owned;

  const Status mapped =
      after_checks(space_->map_linear(*page, prot_rw, PageState::shared_borrowed));
  if (!mapped) return mapped;
  return after_checks(set_host_state(*page, PageState::shared_owned));
}

Status Ownership::host_unshare_hyp(std::uint64_t pfn) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.unshare", Errno::eperm, "the host ends sharing a page"))
    return injected(fault);
  const fw::LockGuard guard(host_->lock());
  const Expected<PaRange> page = range_of(pfn, 1);
  if (!page || !host_->memory().is_ram(*page)) return error(rules_->not_memory_share);
  if (const Status shared = check_host_memory(*page, PageState::shared_owned); !shared)
    return shared;
  if (space_->linear_state(page->begin) != PageState::shared_borrowed) return error(Errno::eperm);
  if (const Status idle = check_not_in_use(*page, rules_->pinned_unshare); !idle) return idle;

  check(space_->unmap_linear(*page).has_value());
  return after_checks(set_host_state(*page, PageState::owned));
}

Status Ownership::host_share_ffa(std::uint64_t pfn, std::uint64_t pages) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.ffa.share", Errno::eperm,
                                               "the host gives pages to the secure world"))
    return injected(fault);
  const fw::LockGuard guard(host_->lock());
  const Expected<PaRange> range = range_of(pfn, pages);
  if (!range || !host_->memory().is_ram(*range)) return error(Errno::eperm);
  if (const Status owned = check_host_owned(*range); !owned) return owned;
  return after_checks(set_host_state(*range, PageState::shared_owned));
}

Status Ownership::host_unshare_ffa(std::uint64_t pfn, std::uint64_t pages) {
  const fw::LockGuard guard(host_->lock());
  const Expected<PaRange> range = range_of(pfn, pages);
  if (!range || !host_->memory().is_ram(*range)) return error(Errno::eperm);
  const Status shared = check_host_memory(*range, PageState::shared_owned);
  return shared ? after_checks(set_host_state(*range, PageState::owned)) : shared;
}

Status Ownership::host_donate_hyp(std::uint64_t pfn, std::uint64_t pages, Accept accept,
                                  Prot alias) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.donate", Errno::eperm, "the host gives pages to the hypervisor"))
    return injected(fault);
  const fw::LockGuard guard(host_->lock());
  const Expected<PaRange> range = range_of(pfn, pages);
  if (!range) return error(range.error());
  const MemoryMap& memory = host_->memory();
  const bool ram = memory.is_ram(*range);
  if (!ram && accept == Accept::memory_only) return error(Errno::eperm);
  if (!ram && rules_->refuses_mixed_ranges && !memory.is_mmio(*range)) return error(Errno::einval);
  if (const Status owned = check_host_owned(*range); !owned) return owned;
  return for_each_run(memory, *range, [&](PaRange run) { return donate(run, alias); });
}

/// One kind of memory. Both tables change or, where running out of memory is an answer, neither.
Status Ownership::donate(PaRange range, Prot alias) {
  const bool ram = host_->memory().is_ram(range);
  const Prot prot{alias.value | (ram ? 0 : Prot::device)};
  const Status mapped = after_checks(space_->map_linear(range, prot, PageState::owned));
  if (!mapped) {
    check(space_->unmap_linear(range).has_value());
    return mapped;
  }
  const Status annotated = after_checks(host_->annotate(range, Owner::hyp));
  if (!annotated) {
    undo_donation(range);
    return annotated;
  }
  if (ram) mark_host_state(range, PageState::no_page);
  host_->tell(range, Prot{});
  return {};
}

/// Whatever of a donation of the host's pages was done.
void Ownership::undo_donation(PaRange range) {
  check(space_->unmap_linear(range).has_value());
  host_->undo_annotation(range, Owner::hyp);
  if (host_->memory().is_ram(range)) mark_host_state(range, PageState::owned);
  host_->tell_default(range);
}

Status Ownership::hyp_donate_host(std::uint64_t pfn, std::uint64_t pages) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.give_back", Errno::eperm,
                                               "the hypervisor gives pages back to the host"))
    return injected(fault);
  const fw::LockGuard guard(host_->lock());
  const Expected<PaRange> range = range_of(pfn, pages);
  if (!range) return error(range.error());
  const Status owned = for_each_page(*range, [&](Pa pa) -> Status {
    const Descriptor d = space_->linear_leaf(pa).descriptor;
    const bool ours = is_valid(d) && state_of(d) == PageState::owned;
    return ours && hyp_permission(d) == prot_rw ? Status{} : error(Errno::eperm);
  });
  if (!owned) return owned;

  const Status given = for_each_run(host_->memory(), *range,
                                    [&](PaRange run) { return after_checks(give_to_host(run)); });
  if (!given) {
    check(host_->annotate(*range, Owner::hyp).has_value());
    return given;
  }
  check(space_->unmap_linear(*range).has_value());
  return for_each_run(host_->memory(), *range, [&](PaRange run) -> Status {
    if (host_->memory().is_ram(run)) mark_host_state(run, PageState::owned);
    host_->tell_default(run);
    return {};
  });
}

Status Ownership::give_to_host(PaRange range) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.host.return", Errno::enomem,
                                               "pages come back into the host's stage 2"))
    return injected(fault);
  return rules_->returns_lazily ? host_->forget(range) : host_->map_identity(range);
}

Status Ownership::claim_for_hyp(PaRange range) {
  const Status annotated = host_->annotate(range, Owner::hyp);
  if (annotated) mark_host_state(range, PageState::no_page);
  return annotated;
}

PaRange Ownership::pages_around(HypVa from, HypVa to) const {
  const LinearMap& linear = space_->linear();
  return {Pa{align_down(linear.hyp_pa(from).value, page_size)},
          Pa{align_up(linear.hyp_pa(to).value, page_size)}};
}

Status Ownership::pin_shared(HypVa from, HypVa to) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.pin", Errno::eperm,
                                               "the hypervisor pins memory that the host shares"))
    return injected(fault);
  const fw::LockGuard guard(host_->lock());
  const PaRange range = pages_around(from, to);
  if (range.begin > range.end || !host_->memory().is_ram(range))
    return error(rules_->not_memory_pin);
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

std::optional<Pa> Ownership::unpin_shared(HypVa from, HypVa to) {
  const fw::LockGuard guard(host_->lock());
  const PaRange range = pages_around(from, to);
  std::optional<Pa> wrong;
  for (Pa pa = range.begin; pa < range.end; pa = pa + page_size)
    if (vmemmap_.page(pa).refcount-- == 0 && !wrong) wrong = pa;
  return wrong;
}

}  // namespace pkvmemu::hyp
