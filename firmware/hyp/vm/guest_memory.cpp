// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/vm/guest_memory.h"

#include "hyp/hypervisor.h"
#include "lib/fault.h"
#include "lib/memory.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

InputRange ipa_range(std::uint64_t gfn, std::uint64_t pages) {
  return {gfn << page_shift, (gfn + pages) << page_shift};
}
InputRange one_page(Ipa page) {
  return {page.value, page.value + page_size};
}

/// A frame number of the host's that a shift would make another one is none.
bool fits_guest(std::uint64_t gfn, std::uint64_t pages) {
  constexpr std::uint64_t frames = std::uint64_t{1} << (pkvm::guest_ipa_bits - page_shift);
  return gfn < frames && pages <= frames - gfn;
}

Expected<PaRange> range_of(GuestPages pages) {
  if (pages.pages == 0) return error(Errno::einval);
  if (!fits_physical(pages.pfn, pages.pages)) return error(Errno::eperm);
  if (!fits_guest(pages.gfn, pages.pages)) return error(Errno::erange);
  const Pa begin = pa_of(Pfn{pages.pfn});
  return PaRange{begin, begin + (pages.pages * page_size)};
}

/// The guest must have nothing where the pages go.
Status check_empty(const Vm& vm, GuestPages pages) {
  for (std::uint64_t i = 0; i < pages.pages; ++i) {
    const Leaf found = vm.stage2.leaf((pages.gfn + i) << page_shift);
    if (found.descriptor.value != 0) return error(Errno::eperm);
  }
  return {};
}

/// Reaches a page that the hypervisor has no alias of.
template <typename Function>
void with_page(Pa page, Function what) {
  HypSpace& space = *hypervisor().space;
  const unsigned cpu = this_cpu().index;
  const HypVa window = space.fixmap_map(cpu, page);
  auto* const at = fw::object_at<std::byte>(HypVa{arch::mapped_at(window.value, page.value)});
  what(at);
  arch::flush_dcache(at, page_size);
  space.fixmap_unmap(cpu);
}

void poison(Pa page) {
  with_page(page, [](std::byte* at) { fw::fill_bytes(at, 0, page_size); });
}

/// How far into the firmware's place a page lies; nothing when it does not.
std::optional<std::uint64_t> firmware_offset(const Vm& vm, std::uint64_t ipa) {
  if (!vm.has_firmware() || ipa < vm.pvmfw_address) return std::nullopt;
  const std::uint64_t offset = ipa - vm.pvmfw_address;
  return offset < hyp_boot_info.pvmfw_size ? std::optional(offset) : std::nullopt;
}

/// A range may touch the firmware's place only where there is firmware for all of it, in pages: the
/// address of the place is the host's word.
Status check_firmware(const Vm& vm, GuestPages pages) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.guest.firmware", Errno::einval,
                           "the firmware for the pages that a protected VM gets"))
    return injected(fault);
  const std::uint64_t first = pages.gfn << page_shift;
  const std::uint64_t last = first + ((pages.pages - 1) * page_size);
  const bool begins_inside = firmware_offset(vm, first).has_value();
  const bool ends_inside = firmware_offset(vm, last).has_value();
  if (begins_inside && !ends_inside) return error(Errno::einval);
  const bool fits = is_aligned(vm.pvmfw_address, page_size) || !(begins_inside || ends_inside);
  return fits ? Status{} : error(Errno::einval);
}

void load_firmware(const Vm& vm, PaRange range, std::uint64_t ipa) {
  bool loaded = false;
  for (Pa page = range.begin; page < range.end; page = page + page_size, ipa += page_size) {
    const auto offset = firmware_offset(vm, ipa);
    if (!offset) continue;
    const Pa source = Pa{hyp_boot_info.pvmfw_base} + *offset;
    const auto* const bytes = hypervisor().linear.pointer<std::byte>(source);
    with_page(page, [bytes](std::byte* at) { fw::copy_bytes(at, bytes, page_size); });
    loaded = true;
  }
  if (loaded) arch::forget_instructions();
}

/// The valid last-level page at `page`, or -EFAULT.
Expected<Descriptor> guest_page(const Vm& vm, Ipa page) {
  if (!is_aligned(page.value, page_size)) return error(Errno::einval);
  if (!vm.stage2.covers(one_page(page))) return error(Errno::efault);
  const Leaf found = vm.stage2.leaf(page.value);
  if (!is_valid(found.descriptor) || found.level != last_level) return error(Errno::efault);
  return found.descriptor;
}

/// As guest_page, with -EPERM unless the guest holds the page in `state`.
Expected<Pa> guest_page_in(const Vm& vm, Ipa page, PageState state) {
  const Expected<Descriptor> found = guest_page(vm, page);
  if (!found) return error(found.error());
  if (state_of(*found) != state) return error(Errno::eperm);
  return address_of(*found);
}

/// Every page of the range is lent to the guest, and the one that the host says (7.6: a check that
/// fails has changed nothing).
Status check_lent(const Vm& vm, LentPages pages) {
  if (!fits_guest(pages.gfn, pages.pages)) return error(Errno::efault);
  for (std::uint64_t i = 0; i < pages.pages; ++i) {
    const Ipa page{(pages.gfn + i) << page_shift};
    const Expected<Pa> pa = guest_page_in(vm, page, PageState::shared_borrowed);
    if (!pa) return error(pa.error());
    if (pages.pfn && pfn_of(*pa).value != *pages.pfn + i) return error(Errno::einval);
  }
  return {};
}

/// What moves one page that the guest holds in `state`, under both locks.
template <typename Function>
Status with_guest_page(Vm& vm, Ipa page, PageState state, Function move) {
  const fw::LockGuard host(hypervisor().host->lock());
  const fw::LockGuard guest(vm.lock);
  const Expected<Pa> pa = guest_page_in(vm, page, state);
  if (!pa) return error(pa.error());
  return move(PaRange{*pa, *pa + page_size});
}

Status put_guest_state(Vm& vm, Ipa page, Pa pa, PageState state) {
  return vm.stage2.remap(one_page(page), pa, stage2_attributes(prot_rwx, state),
                         Blocks::pages_only);
}

/// The first change behind the checks, so that its failure leaves nothing to undo.
Status set_guest_state(Vm& vm, Ipa page, Pa pa, PageState state) {
  const Ownership& ownership = *hypervisor().ownership;
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.guest.set_state", Errno::enomem,
                           "a guest's own entry of a page that it shares or takes back"))
    return ownership.after_checks(injected(fault));
  return ownership.after_checks(put_guest_state(vm, page, pa, state));
}

Status map_guest(Vm& vm, GuestPages pages, Prot prot, PageState state) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.guest.map", Errno::enomem, "pages are mapped in a guest's stage 2"))
    return injected(fault);
  const Status mapped = vm.stage2.map(ipa_range(pages.gfn, pages.pages), pa_of(Pfn{pages.pfn}),
                                      stage2_attributes(prot, state), Blocks::pages_only);
  if (!mapped) check(vm.stage2.set_invalid(ipa_range(pages.gfn, pages.pages), {}).has_value());
  return mapped;
}

}  // namespace

PageState guest_state(const Vm& vm, Ipa page) {
  const Expected<Descriptor> found = guest_page(vm, page);
  return found ? state_of(*found) : PageState::no_page;
}

Status host_donate_guest(Vm& vm, GuestPages pages) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.guest.donate", Errno::eperm,
                                               "the host gives pages to a protected VM"))
    return injected(fault);
  Hypervisor& hyp = hypervisor();
  const fw::LockGuard host(hyp.host->lock());
  const fw::LockGuard guest(vm.lock);
  const Expected<PaRange> range = range_of(pages);
  if (!range) return error(range.error());
  if (const Status owned = hyp.ownership->check_host_gives(*range); !owned) return owned;
  if (const Status empty = check_empty(vm, pages); !empty) return empty;
  if (const Status firmware = check_firmware(vm, pages); !firmware) return firmware;

  if (const Status taken = hyp.ownership->take_from_host(*range, Owner::guest); !taken)
    return taken;
  load_firmware(vm, *range, pages.gfn << page_shift);
  const Status mapped = map_guest(vm, pages, prot_rwx, PageState::owned);
  if (!mapped) {
    // No memory for tables. What was firmware a moment ago must not be read by the host.
    for (Pa page = range->begin; page < range->end; page = page + page_size)
      poison(page);
    check(hyp.ownership->return_to_host(*range).has_value());
    return mapped;
  }
  vm.guest_pages += pages.pages;
  return {};
}

Status host_share_guest(Vm& vm, GuestPages pages, Prot prot) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.guest.share", Errno::eperm,
                                               "the host lends pages to an ordinary VM"))
    return injected(fault);
  Hypervisor& hyp = hypervisor();
  const fw::LockGuard host(hyp.host->lock());
  const fw::LockGuard guest(vm.lock);
  const Expected<PaRange> range = range_of(pages);
  if (!range) return error(range.error());
  if (const Status owned = hyp.ownership->check_host_gives(*range); !owned) return owned;
  if (const Status empty = check_empty(vm, pages); !empty) return empty;

  if (const Status mapped = map_guest(vm, pages, prot, PageState::shared_borrowed); !mapped)
    return mapped;
  const Status shared = hyp.ownership->set_shared_with_guest(*range, PageState::shared_owned);
  if (!shared) {
    check(vm.stage2.set_invalid(ipa_range(pages.gfn, pages.pages), {}).has_value());
    return shared;
  }
  vm.guest_pages += pages.pages;
  return {};
}

Status host_unshare_guest(Vm& vm, LentPages pages) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.guest.unshare", Errno::eperm,
                           "the host takes back a page that an ordinary VM has on loan"))
    return injected(fault);
  Hypervisor& hyp = hypervisor();
  const fw::LockGuard host(hyp.host->lock());
  const fw::LockGuard guest(vm.lock);
  if (const Status lent = check_lent(vm, pages); !lent) return lent;

  for (std::uint64_t gfn = pages.gfn; gfn < pages.gfn + pages.pages; ++gfn) {
    const Ipa page{gfn << page_shift};
    const Pa pa = address_of(vm.stage2.leaf(page.value).descriptor);
    check(vm.stage2.set_invalid(one_page(page), {}).has_value());
    check(hyp.ownership->set_shared_with_guest({pa, pa + page_size}, PageState::owned).has_value());
  }
  vm.guest_pages -= pages.pages;
  return {};
}

bool is_untouched(const Vm& vm, Ipa page) {
  return is_aligned(page.value, page_size) && vm.stage2.covers(one_page(page)) &&
         vm.stage2.leaf(page.value).descriptor.value == 0;
}

Status guest_share_host(Vm& vm, Ipa page) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.guest.share_host", Errno::eperm,
                                               "a guest shares a page with the host"))
    return injected(fault);
  return with_guest_page(vm, page, PageState::owned, [&](PaRange range) -> Status {
    const Status told = set_guest_state(vm, page, range.begin, PageState::shared_owned);
    if (!told) return told;
    const Status lent = hypervisor().ownership->lend_to_host(range);
    if (!lent) check(put_guest_state(vm, page, range.begin, PageState::owned).has_value());
    return lent;
  });
}

Status guest_unshare_host(Vm& vm, Ipa page) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.guest.unshare_host", Errno::eperm, "a guest ends sharing a page"))
    return injected(fault);
  if (vm.ffa.holds(page)) return error(Errno::eperm);
  return with_guest_page(vm, page, PageState::shared_owned, [&](PaRange range) -> Status {
    const Status told = set_guest_state(vm, page, range.begin, PageState::owned);
    if (!told) return told;
    const Status taken = hypervisor().ownership->take_from_host(range, Owner::guest);
    if (!taken) check(put_guest_state(vm, page, range.begin, PageState::shared_owned).has_value());
    return taken;
  });
}

Status guest_relinquish(Vm& vm, Ipa page) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.guest.relinquish", Errno::eperm, "a guest gives a page back"))
    return injected(fault);
  const bool in_reach = is_aligned(page.value, page_size) && vm.stage2.covers(one_page(page));
  if (in_reach && !is_valid(vm.stage2.leaf(page.value).descriptor)) return {};
  return with_guest_page(vm, page, PageState::owned, [&](PaRange range) -> Status {
    check(vm.stage2.set_invalid(one_page(page), {}).has_value());
    poison(range.begin);
    check(hypervisor().ownership->return_to_host(range).has_value());
    --vm.guest_pages;
    return {};
  });
}

Expected<Pa> guest_share_secure(Vm& vm, Ipa page) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.ffa.guest_share", Errno::eperm,
                           "a guest shares a page with EL2 or the secure world"))
    return injected(fault);
  const fw::LockGuard guest(vm.lock);
  const Expected<Pa> pa = guest_page_in(vm, page, PageState::owned);
  if (!pa) return pa;
  const Status shared = set_guest_state(vm, page, *pa, PageState::shared_owned);
  return shared ? pa : error(shared.error());
}

Status guest_unshare_secure(Vm& vm, Ipa page) {
  const fw::LockGuard guest(vm.lock);
  const Expected<Pa> pa = guest_page_in(vm, page, PageState::shared_owned);
  return pa ? vm.stage2.remap(one_page(page), *pa, stage2_attributes(prot_rwx, PageState::owned),
                              Blocks::pages_only)
            : error(pa.error());
}

void read_secure(const Vm& vm, Ipa page, std::span<std::uint8_t> to) {
  const Expected<Pa> pa = guest_page_in(vm, page, PageState::shared_owned);
  check(pa.has_value() && to.size() <= page_size);
  with_page(*pa, [to](std::byte* at) { fw::copy_bytes(to.data(), at, to.size()); });
}

void write_secure(const Vm& vm, Ipa page, std::span<const std::uint8_t> from) {
  const Expected<Pa> pa = guest_page_in(vm, page, PageState::shared_owned);
  check(pa.has_value() && from.size() <= page_size);
  with_page(*pa, [from](std::byte* at) { fw::copy_bytes(at, from.data(), from.size()); });
}

Status reclaim_guest_page(Vm& vm, std::uint64_t pfn, std::uint64_t gfn) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.guest.reclaim", Errno::einval,
                                               "the host takes back a page of a dying VM"))
    return injected(fault);
  Hypervisor& hyp = hypervisor();
  const fw::LockGuard host(hyp.host->lock());
  const fw::LockGuard guest(vm.lock);
  if (!fits_guest(gfn, 1)) return error(Errno::enoent);
  const Ipa page{gfn << page_shift};
  const Expected<Descriptor> found = guest_page(vm, page);
  if (!found) return error(Errno::enoent);
  const Pa pa = address_of(*found);
  if (pfn_of(pa).value != pfn) return error(Errno::einval);
  if (vm.ffa.holds(page)) return error(Errno::ebusy);

  check(vm.stage2.set_invalid(one_page(page), {}).has_value());
  const PaRange range{pa, pa + page_size};
  if (state_of(*found) == PageState::shared_borrowed) {
    check(hyp.ownership->set_shared_with_guest(range, PageState::owned).has_value());
  } else {
    poison(pa);
    check(hyp.ownership->return_to_host(range).has_value());
  }
  --vm.guest_pages;
  return {};
}

Status guard_mmio_page(Vm& vm, Ipa page) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.guest.guard_mmio", Errno::enomem,
                                               "a guest has an address forwarded as MMIO"))
    return injected(fault);
  const fw::LockGuard guest(vm.lock);
  if (!is_aligned(page.value, page_size)) return error(Errno::einval);
  if (!vm.stage2.covers(one_page(page))) return error(Errno::einval);
  if (!vm.mmio_guard) return error(Errno::einval);
  if (is_guarded_mmio(vm, page)) return {};
  if (vm.stage2.leaf(page.value).descriptor.value != 0) return error(Errno::eperm);
  return vm.stage2.set_invalid(one_page(page), mmio_note(hypervisor().generation));
}

Status unguard_mmio_page(Vm& vm, Ipa page) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.guest.unguard_mmio", Errno::einval,
                                               "a guest ends having an address forwarded"))
    return injected(fault);
  const fw::LockGuard guest(vm.lock);
  if (!is_guarded_mmio(vm, page)) return error(Errno::einval);
  return vm.stage2.set_invalid(one_page(page), {});
}

bool is_guarded_mmio(const Vm& vm, Ipa page) {
  return is_aligned(page.value, page_size) && vm.stage2.covers(one_page(page)) &&
         vm.stage2.leaf(page.value).descriptor == mmio_note(hypervisor().generation);
}

}  // namespace pkvmemu::hyp
