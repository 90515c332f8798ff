// SPDX-License-Identifier: GPL-2.0-only
// What modules do to pages of the host besides taking them one range at a time: permissions
// (pkvm-abi.md 1.7), lazy PTEs, lists of pages (1.6).
#include "hyp/ownership.h"
#include "hyp/page_ranges.h"
#include "lib/fault.h"

namespace pkvmemu::hyp {

Status Ownership::check_module_owned(PaRange range) const {
  return for_each_page(range, [&](Pa pa) -> Status {
    return has_module_mark(host_state(pa)) ? Status{} : error(Errno::eperm);
  });
}

/// The first page decides whether it is a module's to change or the host's to lose.
Status Ownership::check_mod_prot(PaRange range) const {
  if (range.size() == 0) return {};
  if (has_module_mark(host_state(range.begin))) return check_module_owned(range);
  if (const Status owned = check_host_memory(range, PageState::owned); !owned) return owned;
  return check_not_in_use(range, rules_->used_mod_prot);
}

Status Ownership::host_mod_prot(std::uint64_t pfn, Prot prot, std::uint64_t pages,
                                UpdateIommu update) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.mod_prot", Errno::eperm,
                                               "a module changes what the host may do with pages"))
    return injected(fault);
  const fw::LockGuard guard(host_->lock());
  if ((prot.value & ~Prot::settable) != 0) return error(Errno::einval);
  const Expected<PaRange> range = range_of(pfn, pages);
  if (!range || !host_->memory().find(range->begin).range.contains(*range))
    return error(Errno::eperm);
  const bool ram = host_->memory().is_ram(range->begin);
  if (ram)
    if (const Status changeable = check_mod_prot(*range); !changeable) return changeable;

  check(!prot.has(Prot::device | Prot::nc));
  const bool taken = prot.value == 0;
  check((taken ? host_->annotate(*range, Owner::is_protected) : host_->set(*range, prot))
            .has_value());
  if (update == UpdateIommu::yes) host_->tell(*range, prot);
  if (!ram) return {};
  if (prot == prot_rwx)
    mark_host_state(*range, PageState::owned);
  else
    mark_host_state(*range, taken ? PageState::module_taken : PageState::module_owned);
  return {};
}

Expected<PaRange> Ownership::check_lazy(std::uint64_t pfn, std::uint64_t pages) const {
  const Expected<PaRange> range = range_of(pfn, pages);
  if (!range) return range;
  const MemoryMap::Place place = host_->memory().find(range->begin);
  if (place.kind == MemoryKind::mmio || !place.range.contains(*range)) return error(Errno::eperm);
  if (const Status owned = check_host_memory(*range, PageState::owned); !owned)
    return error(owned.error());
  if (const Status idle = check_not_in_use(*range, rules_->used_lazy); !idle)
    return error(idle.error());
  return range;
}

Status Ownership::host_enable_lazy(std::uint64_t pfn, std::uint64_t pages) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.lazy.enable", Errno::enomem,
                                               "a module has the host map pages by faults"))
    return injected(fault);
  const fw::LockGuard guard(host_->lock());
  const Expected<PaRange> range = check_lazy(pfn, pages);
  if (!range) return error(range.error());
  return after_checks(host_->forget_pages(*range));
}

Status Ownership::host_disable_lazy(std::uint64_t pfn, std::uint64_t pages) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.lazy.disable", Errno::eperm,
                                               "a module ends mapping the host by faults"))
    return injected(fault);
  const fw::LockGuard guard(host_->lock());
  const Expected<PaRange> range = check_lazy(pfn, pages);
  if (!range) return error(range.error());
  host_->let_go(*range);
  return rules_->disabling_lazy_maps ? after_checks(host_->map_identity(*range)) : Status{};
}

Expected<Leaf> Ownership::host_leaf(Pa pa) {
  const fw::LockGuard guard(host_->lock());
  return host_->checked_leaf(pa);
}

PaRange Ownership::range_of(PageBlock block) {
  const Pa begin = pa_of(Pfn{block.pfn});
  return {begin, begin + (page_size << block.order)};
}

Status Ownership::check_block(PageBlock block) const {
  constexpr unsigned physical_bits = 48;
  if (block.order >= physical_bits - page_shift ||
      !fits_physical(block.pfn, std::uint64_t{1} << block.order))
    return error(Errno::einval);
  const PaRange range = range_of(block);
  if (!host_->memory().is_ram(range)) return error(Errno::einval);
  return check_host_owned(range);
}

Pa Ownership::refused_block(PageBlockList list) {
  const fw::LockGuard guard(host_->lock());
  for (std::size_t i = 0; i < list.size(); ++i)
    if (!check_block(list[i])) return range_of(list[i]).begin;
  return list.size() == 0 ? Pa{0} : range_of(list[0]).begin;
}

Status Ownership::host_donate_list(PageBlockList list) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.donate_list", Errno::eperm,
                                               "the host gives a list of pages to the hypervisor"))
    return injected(fault);
  const fw::LockGuard guard(host_->lock());
  for (std::size_t i = 0; i < list.size(); ++i)
    if (const Status good = check_block(list[i]); !good) return good;
  for (std::size_t done = 0; done < list.size(); ++done) {
    const Status donated = donate(range_of(list[done]), prot_rw);
    if (donated) continue;
    for (std::size_t i = 0; i < done; ++i)
      undo_donation(range_of(list[i]));
    return donated;
  }
  return {};
}

}  // namespace pkvmemu::hyp
