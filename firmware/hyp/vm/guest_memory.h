// SPDX-License-Identifier: GPL-2.0-only
// Memory between host and guests (pkvm-abi.md 7.6): pages given to a protected guest, lent to an
// ordinary one, shared back by the guest, and returned. A refused transition has changed nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "hyp/vm/vm.h"
#include "pkvm/generation.h"

namespace pkvmemu::hyp {

/// Pages [pfn, pfn + pages) at guest frame `gfn`.
struct GuestPages {
  std::uint64_t pfn;
  std::uint64_t gfn;
  std::uint64_t pages;
};

/// host OWNED -> guest OWNED, for protected guests. Pages that hold the firmware's place are filled
/// from pvmfw; -EINVAL when such a page lies beyond its end (9.4).
Status host_donate_guest(Vm& vm, GuestPages pages);
/// host OWNED -> SHARED_OWNED, guest SHARED_BORROWED, for ordinary guests.
Status host_share_guest(Vm& vm, GuestPages pages, Prot prot);
/// What the host wants back from an ordinary guest. From 6.12 on it does not say which frames.
struct LentPages {
  std::optional<std::uint64_t> pfn;
  std::uint64_t gfn;
  std::uint64_t pages;
};
/// The way back. All pages must be lent, and the ones at `gfn` be the named; else none is taken.
Status host_unshare_guest(Vm& vm, LentPages pages);

/// A protected guest's page, shared with the host and taken back.
Status guest_share_host(Vm& vm, Ipa page);
Status guest_unshare_host(Vm& vm, Ipa page);
/// Whether the guest may have a page there, and nothing is: neither a page nor a note.
bool is_untouched(const Vm& vm, Ipa page);
/// The guest gives the page back for good: zeroed, and the host's again. Nothing happens where it
/// has none.
Status guest_relinquish(Vm& vm, Ipa page);

/// A page for EL2 or the secure world to use, and where it is: guest OWNED -> SHARED_OWNED, and the
/// host has no part in it. Nobody but guest_ffa.h knows that it is so.
Expected<Pa> guest_share_secure(Vm& vm, Ipa page);
Status guest_unshare_secure(Vm& vm, Ipa page);
/// What such a page begins with.
void read_secure(const Vm& vm, Ipa page, std::span<std::uint8_t> to);
void write_secure(const Vm& vm, Ipa page, std::span<const std::uint8_t> from);

/// A page of a dying guest becomes the host's again, zeroed if it was the guest's own; -EBUSY while
/// the secure world has it.
Status reclaim_guest_page(Vm& vm, std::uint64_t pfn, std::uint64_t gfn);

/// What the guest sees at `page`: no_page when nothing is mapped.
PageState guest_state(const Vm& vm, Ipa page);

/// An annotation in the guest's own table: the page is a device's that the host emulates, by the
/// guest's wish (MMIO guard). -EINVAL while it has not asked for the guard; a second time is as
/// good as the first.
Status guard_mmio_page(Vm& vm, Ipa page);
Status unguard_mmio_page(Vm& vm, Ipa page);
bool is_guarded_mmio(const Vm& vm, Ipa page);

}  // namespace pkvmemu::hyp
