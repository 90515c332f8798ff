// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/module_slots.h"

#include "lib/fault.h"

namespace pkvmemu::hyp {

Expected<HypVa> ModuleSlots::alloc_module_va(HypSpace& space, std::uint64_t pages) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.module.alloc_va", Errno::enomem, "__pkvm_alloc_module_va"))
    return injected(fault);
  const Expected<HypVa> va = space.take_va(pages);
  if (!va) return va;
  const fw::LockGuard guard(lock_);
  // Beyond the last slot a module runs without kCFI checks on its callbacks.
  if (range_count_ < max_ranges)
    ranges_[range_count_++] = Range{.where = {*va, *va + (pages * page_size)}};
  return va;
}

Status ModuleSlots::map_module_page(HypSpace& space, Ownership& ownership, std::uint64_t pfn,
                                    HypVa va, Prot prot) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.module.map_page", Errno::enomem, "__pkvm_map_module_page"))
    return injected(fault);
  const Status donated = ownership.host_donate_hyp(pfn, 1, Accept::memory_only, prot_rw);
  if (!donated) return donated;
  const Status mapped = space.map_at(va, pa_of(Pfn{pfn}), page_size, prot);
  if (!mapped) check(ownership.hyp_donate_host(pfn, 1).has_value());
  return mapped;
}

void ModuleSlots::unmap_module_page(HypSpace& space, Ownership& ownership, std::uint64_t pfn,
                                    HypVa va) {
  check(ownership.hyp_donate_host(pfn, 1).has_value());
  check(space.is_mapped(va));
  check(space.unmap_at(va, page_size).has_value());
}

void ModuleSlots::set_flavour(HypVa init, CfiFlavour flavour) {
  const fw::LockGuard guard(lock_);
  for (Range& range : ranges_)
    if (range.where.contains(init)) range.flavour = flavour;
}

CfiFlavour ModuleSlots::flavour_of(HypVa function) const {
  for (const Range& range : ranges_)
    if (range.where.contains(function)) return range.flavour;
  return CfiFlavour::none;
}

ModuleRange ModuleSlots::range_of(HypVa address) const {
  for (const Range& range : ranges_)
    if (range.where.contains(address)) return range.where;
  return {};
}

Expected<unsigned> ModuleSlots::register_handler(HypVa function) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.module.register", Errno::enomem, "__pkvm_register_hcall"))
    return injected(fault);
  const fw::LockGuard guard(lock_);
  if (handler_count_ == pkvm::max_dynamic_calls) return error(Errno::enomem);
  const unsigned index = handler_count_;
  handlers_[index] = {.function = function, .hash = handler_cfi_type.hash(flavour_of(function))};
  __atomic_store_n(&handler_count_, index + 1, __ATOMIC_RELEASE);
  return pkvm::first_dynamic_call + index;
}

}  // namespace pkvmemu::hyp
