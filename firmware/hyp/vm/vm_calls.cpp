// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/vm/vm_calls.h"

#include <optional>

#include "hyp/hypervisor.h"
#include "hyp/ops.h"
#include "hyp/vm/guest_ffa.h"
#include "hyp/vm/guest_memory.h"
#include "hyp/vm/life_cycle.h"
#include "hyp/vm/vcpu_run.h"
#include "hyp/vm/vm_rules.h"
#include "lib/fault.h"

namespace pkvmemu::hyp {

namespace {

void answer(user_pt_regs* regs, const Status& status) {
  regs->regs[1] = static_cast<u64>(to_int(status));
}

/// A kernel address that the host passed.
HypVa kern(u64 address) {
  return HypVa{ops::kern_hyp_va(address)};
}

/// From 6.6 on x3 says how many pages the heap misses (4.4).
void tell_missing(user_pt_regs* regs) {
  if (!vm_rules(hypervisor().generation).host_donates_storage)
    regs->regs[3] = hypervisor().heap->take_missing_donations();
}

/// The loaded vCPU's VM with its table pages topped up from the host's memcache.
Expected<Vm*> vm_to_map() {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.vm.map_guest", Errno::einval,
                           "the hypercall that gives a page to a guest, before any of its work"))
    return injected(fault);
  Vcpu* vcpu = loaded_vcpu();
  if (vcpu == nullptr) return error(Errno::einval);
  constexpr std::uint64_t tables_for_a_page = last_level - guest_shape().start_level;
  const Status refilled =
      vcpu->vm->pool.refill(vcpu->host->memory, tables_for_a_page, *hypervisor().ownership);
  if (!refilled) return error(refilled.error());
  return vcpu->vm;
}

Status map_guest(GuestPages pages, Prot prot) {
  const Expected<Vm*> vm = vm_to_map();
  if (!vm) return error(vm.error());
  return (*vm)->is_protected ? host_donate_guest(**vm, pages) : host_share_guest(**vm, pages, prot);
}

Status unshare_range(std::uint64_t handle, LentPages pages) {
  Vm* vm = hypervisor().vms.find(handle);
  if (vm == nullptr) return error(Errno::enoent);
  if (vm->is_protected) return error(Errno::eperm);
  return host_unshare_guest(*vm, pages);
}

}  // namespace

void call_init_vm(user_pt_regs* regs) {
  const auto& x = regs->regs;
  const bool donates = vm_rules(hypervisor().generation).host_donates_storage;
  // 6.1: host_kvm, vm_hva, pgd_hva, last_ran_hva. Later: host_kvm, pgd_hva.
  const VmRequest request = donates ? VmRequest{kern(x[1]), kern(x[3]), kern(x[2]), kern(x[4])}
                                    : VmRequest{kern(x[1]), kern(x[2]), HypVa{0}, HypVa{0}};
  const Expected<std::uint32_t> handle = init_vm(request);
  tell_missing(regs);
  regs->regs[1] = handle ? *handle : static_cast<u64>(pkvm::negated(handle.error()));
}

void call_init_vcpu(user_pt_regs* regs) {
  const auto& x = regs->regs;
  const Status done = init_vcpu({.handle = x[1], .host_vcpu = kern(x[2]), .storage = kern(x[3])});
  tell_missing(regs);
  answer(regs, done);
}

void call_vcpu_load(user_pt_regs* regs) {
  load_vcpu(regs->regs[1], regs->regs[2], regs->regs[3]);
}

void call_vcpu_put(user_pt_regs* /*regs*/) {
  put_vcpu();
}

/// An ordinary guest's registers are written to the host's copy at every exit.
void call_vcpu_sync_state(user_pt_regs* /*regs*/) {}

void call_vcpu_run(user_pt_regs* regs) {
  Vcpu* vcpu = loaded_vcpu();
  const HypVa asked = kern(regs->regs[1]);
  const bool loaded = vcpu != nullptr && fw::object_at<pkvm::HostVcpu>(asked) == vcpu->host;
  if (loaded)
    regs->regs[1] = static_cast<u64>(run_vcpu(*vcpu));
  else
    regs->regs[1] = vm_rules(hypervisor().generation).not_loaded_answer;
}

void call_start_teardown_vm(user_pt_regs* regs) {
  answer(regs, start_teardown_vm(regs->regs[1]));
}
void call_finalize_teardown_vm(user_pt_regs* regs) {
  answer(regs, finalize_teardown_vm(regs->regs[1]));
}

void call_reclaim_page_at_ipa(user_pt_regs* regs) {
  answer(regs, reclaim_dying_guest_page(regs->regs[1], regs->regs[2], regs->regs[3] >> page_shift));
}
void call_reclaim_page_at_gfn(user_pt_regs* regs) {
  const auto& x = regs->regs;
  answer(regs, reclaim_dying_guest_page(x[1], x[2], x[3], x[4]));
}

void call_reclaim_guest_ffa(user_pt_regs* regs) {
  answer(regs, reclaim_guest_ffa(regs->regs[1]));
}
void call_get_ffa_version(user_pt_regs* regs) {
  regs->regs[1] = hypervisor().ffa.agreed_version();
}

void call_host_map_guest_page(user_pt_regs* regs) {
  answer(regs, map_guest({.pfn = regs->regs[1], .gfn = regs->regs[2], .pages = 1}, prot_rwx));
}
void call_host_map_guest_range(user_pt_regs* regs) {
  const auto& x = regs->regs;
  answer(regs, map_guest({.pfn = x[1], .gfn = x[2], .pages = x[3]}, Prot{x[4] & Prot::rwx_mask}));
}
void call_host_unmap_guest(user_pt_regs* regs) {
  // x1 handle, x2 pfn, x3 gfn, x4 order
  constexpr u64 largest_order = 18;
  const auto& x = regs->regs;
  answer(regs, x[4] <= largest_order
                   ? unshare_range(x[1], {.pfn = x[2], .gfn = x[3], .pages = u64{1} << x[4]})
                   : Status{error(Errno::einval)});
}

void call_host_donate_guest(user_pt_regs* regs) {
  const auto& x = regs->regs;
  const Vcpu* vcpu = loaded_vcpu();
  const bool takes = vcpu != nullptr && vcpu->vm->is_protected;
  answer(regs, takes ? map_guest({.pfn = x[1], .gfn = x[2], .pages = x[3]}, prot_rwx)
                     : Status{error(Errno::einval)});
}
void call_host_share_guest(user_pt_regs* regs) {
  const auto& x = regs->regs;
  const Vcpu* vcpu = loaded_vcpu();
  const bool takes = vcpu != nullptr && !vcpu->vm->is_protected;
  answer(regs,
         takes ? map_guest({.pfn = x[1], .gfn = x[2], .pages = x[4]}, Prot{x[3] & Prot::rwx_mask})
               : Status{error(Errno::einval)});
}
void call_host_unshare_guest(user_pt_regs* regs) {
  const auto& x = regs->regs;
  answer(regs, unshare_range(x[1], {.pfn = std::nullopt, .gfn = x[2], .pages = x[3]}));
}

}  // namespace pkvmemu::hyp
