// SPDX-License-Identifier: GPL-2.0-only
// The host's side of what guests get, lend and give back (pkvm-abi.md 7.6).
#include "hyp/ownership.h"
#include "lib/fault.h"

namespace pkvmemu::hyp {

Status Ownership::check_host_gives(PaRange range) const {
  return host_->memory().is_ram(range) ? check_host_owned(range) : error(Errno::eperm);
}

Status Ownership::take_from_host(PaRange range, Owner owner) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.guest.take", Errno::enomem, "a page of the host becomes a guest's"))
    return injected(fault);
  const Status taken = after_checks(host_->annotate(range, owner));
  if (!taken) {
    host_->undo_annotation(range, owner);
    return taken;
  }
  mark_host_state(range, PageState::no_page);
  host_->tell(range, Prot{});
  return {};
}

Status Ownership::lend_to_host(PaRange range) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.guest.lend", Errno::enomem,
                                               "a guest's page is mapped for the host"))
    return injected(fault);
  const Status lent = after_checks(host_->set(range, prot_rwx, PageState::shared_borrowed));
  if (!lent) return lent;
  mark_host_state(range, PageState::shared_borrowed);
  host_->tell_default(range);
  return {};
}

Status Ownership::return_to_host(PaRange range) {
  const Status given = after_checks(give_to_host(range));
  if (!given) return given;
  mark_host_state(range, PageState::owned);
  host_->tell_default(range);
  return {};
}

}  // namespace pkvmemu::hyp
