// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/ops_handlers.h"

#include "hyp/hypervisor.h"
#include "hyp/refusals.h"
#include "lib/fault.h"
#include "support/bits.h"

namespace pkvmemu::hyp::ops {

namespace {

using arch::Sysreg;

template <typename Signature>
Callback<Signature> callback_at(HypVa function, const CfiType& type) {
  return {function, type.hash(hypervisor().modules.flavour_of(function))};
}

/// ID_AA64MMFR0_EL1.FGT (Arm ARM D17.2.64).
bool has_fine_grained_traps() {
  return bits(arch::read<Sysreg::id_aa64mmfr0_el1>(), 59, 56) != 0;
}

/// Another CPU, or this one with its caches off, reads it.
void update(std::uint64_t& stored, std::uint64_t set, std::uint64_t clear) {
  stored = (stored | set) & ~clear;
  arch::flush_dcache(&stored, sizeof(stored));
}

}  // namespace

int register_host_smc_handler(HypVa callback, const CfiType& type) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.handler.host_smc", Errno::ebusy,
                                               "a module's handler of the host's SMCs"))
    return fault.answer;
  Hypervisor& hyp = hypervisor();
  return registration("register_host_smc_handler", callback,
                      hyp.handlers.host_smc.add(callback_at<bool(user_pt_regs*)>(callback, type),
                                                handler_rules(hyp.generation).host_smc));
}

int register_guest_smc_handler(HypVa callback) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.handler.guest_smc", Errno::ebusy,
                                               "a module's handler of guests' SMCs"))
    return fault.answer;
  return registration("register_guest_smc_handler", callback,
                      hypervisor().handlers.guest_smc.add(
                          callback_at<GuestSmcHandler>(callback, guest_smc_cfi_type)));
}

int register_default_trap_handler(HypVa callback, const CfiType& type) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.handler.default_trap", Errno::ebusy,
                                               "a module's handler of unknown traps"))
    return fault.answer;
  return registration(
      "register_default_trap_handler", callback,
      hypervisor().handlers.default_trap.add(callback_at<bool(user_pt_regs*)>(callback, type)));
}

int register_psci_notifier(HypVa callback, const CfiType& type) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.handler.psci", Errno::ebusy, "a module's PSCI notifier"))
    return fault.answer;
  return registration(
      "register_psci_notifier", callback,
      hypervisor().handlers.psci.add(
          callback_at<void(pkvm_psci_notification, user_pt_regs*)>(callback, type)));
}

int register_hyp_panic_notifier(HypVa callback, const CfiType& type) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.handler.panic", Errno::ebusy, "a module's hyp panic notifier"))
    return fault.answer;
  return registration(
      "register_hyp_panic_notifier", callback,
      hypervisor().handlers.panic.add(callback_at<void(user_pt_regs*)>(callback, type)));
}

int register_unmask_serror(HypVa unmask, HypVa mask) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.handler.serror", Errno::ebusy, "a module's pair for SErrors"))
    return fault.answer;
  return registration(
      "register_unmask_serror", unmask.value == 0 ? unmask : mask,
      hypervisor().handlers.serror.install(callback_at<bool()>(unmask, unmask_serror_cfi_type),
                                           callback_at<void()>(mask, mask_serror_cfi_type)));
}

void update_hcr_el2(std::uint64_t set, std::uint64_t clear) {
  std::uint64_t& stored = this_cpu().params.hcr_el2;
  update(stored, set, clear);
  arch::write<Sysreg::hcr_el2>(stored);
}

void update_hfgwtr_el2(std::uint64_t set, std::uint64_t clear) {
  update(this_cpu().params.hfgwtr_el2, set, clear);
  restore_hfgwtr_el2();
}

void restore_hfgwtr_el2() {
  if (has_fine_grained_traps()) arch::write_hfgwtr_el2(this_cpu().params.hfgwtr_el2);
}

}  // namespace pkvmemu::hyp::ops
