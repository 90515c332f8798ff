// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/static_calls.h"

#include "hyp/deprivilege.h"
#include "hyp/hypervisor.h"
#include "hyp/iommu_calls.h"
#include "hyp/module_init.h"
#include "hyp/ops.h"
#include "hyp/setup.h"
#include "hyp/vm/vm_calls.h"
#include "lib/address_cast.h"
#include "pkvm/event.h"
#include "pkvm/trace.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

using arch::Sysreg;

/// Results are 64 bits wide; an int is sign-extended (pkvm-abi.md 3.3).
void answer(user_pt_regs* regs, const Status& status) {
  regs->regs[1] = static_cast<u64>(to_int(status));
}
void answer(user_pt_regs* regs, int value) {
  regs->regs[1] = static_cast<u64>(value);
}

/// An address, or a negative error in its place.
void answer(user_pt_regs* regs, const Expected<HypVa>& va) {
  regs->regs[1] = va ? va->value : static_cast<u64>(pkvm::negated(va.error()));
}

void create_private_mapping(user_pt_regs* regs) {
  answer(regs, hypervisor().space->create_private_mapping(Pa{regs->regs[1]}, regs->regs[2],
                                                          Prot{regs->regs[3]}));
}

/// Only slot 0, the vectors themselves: no CPU of ours needs another (Spectre).
void cpu_set_vector(user_pt_regs* regs) {
  answer(regs, regs->regs[1] == 0 ? 0 : pkvm::negated(Errno::einval));
}

void enable_ssbs(user_pt_regs* /*regs*/) {
  constexpr unsigned dssbs = 44;
  arch::write<Sysreg::sctlr_el2>(arch::read<Sysreg::sctlr_el2>() | bit(dssbs));
}

/// All the flushes name some of a VM's entries; there is no VM with entries yet, so forgetting
/// everybody's is right and costs nothing that counts.
void flush_tlb(user_pt_regs* /*regs*/) {
  arch::dsb_ish();
  arch::tlbi_all_vmids();
  arch::dsb_ish();
  arch::isb();
}

void alloc_module_va(user_pt_regs* regs) {
  Hypervisor& hyp = hypervisor();
  const Expected<HypVa> va = hyp.modules.alloc_module_va(*hyp.space, regs->regs[1]);
  regs->regs[1] = va ? va->value : 0;
}

void map_module_page(user_pt_regs* regs) {
  Hypervisor& hyp = hypervisor();
  answer(regs, ModuleSlots::map_module_page(*hyp.space, *hyp.ownership, regs->regs[1],
                                            HypVa{regs->regs[2]}, Prot{regs->regs[3]}));
}

/// x1 keeps the argument.
void unmap_module_page(user_pt_regs* regs) {
  Hypervisor& hyp = hypervisor();
  ModuleSlots::unmap_module_page(*hyp.space, *hyp.ownership, regs->regs[1], HypVa{regs->regs[2]});
}

/// 6.1 and 6.6 name the init function by its address.
void init_module_at(user_pt_regs* regs) {
  answer(regs, init_module(HypVa{regs->regs[1]}));
}
/// 6.12 shares a copy of the module's descriptor, named by its kernel address.
void init_module_described(user_pt_regs* regs) {
  answer(regs, init_described_module(HypVa{ops::kern_hyp_va(regs->regs[1])}));
}

void register_hcall(user_pt_regs* regs) {
  Hypervisor& hyp = hypervisor();
  const HypVa function{regs->regs[1]};
  const Expected<unsigned> number = hyp.modules.register_handler(function);
  answer(regs, number ? static_cast<int>(*number) : pkvm::negated(number.error()));
  if (number) hyp.events.emit(pkvm::event::Kind::handler_registered, {*number, function.value});
}

void prot_finalize(user_pt_regs* regs) {
  answer(regs, deprivilege_host());
}

void host_share_hyp(user_pt_regs* regs) {
  answer(regs, hypervisor().ownership->host_share_hyp(regs->regs[1]));
}

void host_unshare_hyp(user_pt_regs* regs) {
  answer(regs, hypervisor().ownership->host_unshare_hyp(regs->regs[1]));
}

/// The descriptor lies in a page that the host has shared; no heap is needed.
void load_tracing(user_pt_regs* regs) {
  Hypervisor& hyp = hypervisor();
  regs->regs[3] = 0;
  if (regs->regs[2] < sizeof(pkvm::trace::Descriptor)) {
    answer(regs, pkvm::negated(Errno::einval));
    return;
  }
  const auto* descriptor =
      fw::object_at<const pkvm::trace::Descriptor>(HypVa{ops::kern_hyp_va(regs->regs[1])});
  answer(regs, hyp.trace.load(*descriptor, *hyp.ownership, hyp.linear));
}

void teardown_tracing(user_pt_regs* regs) {
  Hypervisor& hyp = hypervisor();
  hyp.trace.teardown(*hyp.ownership, hyp.linear);
  answer(regs, 0);
}

void enable_tracing(user_pt_regs* regs) {
  answer(regs, hypervisor().trace.enable(regs->regs[1] != 0));
}

/// The page's index, or an error.
void swap_reader_tracing(user_pt_regs* regs) {
  const bool known = regs->regs[1] < hypervisor().cpus;
  const Expected<std::uint64_t> page =
      known ? hypervisor().trace.swap_reader() : Expected<std::uint64_t>(error(Errno::einval));
  regs->regs[1] = page ? *page : static_cast<u64>(pkvm::negated(page.error()));
}

void reset_tracing(user_pt_regs* regs) {
  hypervisor().trace.reset();
  answer(regs, 0);
}

void enable_event(user_pt_regs* regs) {
  Hypervisor& hyp = hypervisor();
  const auto id = static_cast<std::uint16_t>(regs->regs[1]);
  const bool on = regs->regs[2] != 0;
  if (id == pkvm::trace::printk_event) {
    hyp.trace_events.enable_printk(on);
    answer(regs, 0);
    return;
  }
  answer(regs, hyp.trace_events.enable(id, on, *hyp.space, this_cpu().index));
}

struct Row {
  pkvm::Hypercall call;
  StaticCall handler;
  /// From which generation on this handler has the call's form.
  pkvm::Generation since = pkvm::Generation::android14_6_1;
  pkvm::Generation until = pkvm::Generation::android16_6_12;
};

using pkvm::Generation;
using pkvm::Hypercall;

constexpr auto rows = std::to_array<Row>({
    {Hypercall::kvm_get_mdcr_el2, get_mdcr_el2},
    {Hypercall::pkvm_init, pkvm_init},
    {Hypercall::pkvm_create_private_mapping, create_private_mapping},
    {Hypercall::pkvm_cpu_set_vector, cpu_set_vector},
    {Hypercall::kvm_enable_ssbs, enable_ssbs},
    {Hypercall::kvm_flush_vm_context, flush_tlb},
    {Hypercall::kvm_tlb_flush_vmid_ipa, flush_tlb},
    {Hypercall::kvm_tlb_flush_vmid_ipa_nsh, flush_tlb},
    {Hypercall::kvm_tlb_flush_vmid, flush_tlb},
    {Hypercall::kvm_tlb_flush_vmid_range, flush_tlb},
    {Hypercall::kvm_flush_cpu_context, flush_tlb},
    {Hypercall::pkvm_alloc_module_va, alloc_module_va},
    {Hypercall::pkvm_map_module_page, map_module_page},
    {Hypercall::pkvm_unmap_module_page, unmap_module_page},
    {Hypercall::pkvm_init_module, init_module_at, Generation::android14_6_1,
     Generation::android15_6_6},
    {Hypercall::pkvm_init_module, init_module_described, Generation::android16_6_12},
    {Hypercall::pkvm_register_hcall, register_hcall},
    {Hypercall::pkvm_iommu_init, call_iommu_init_6_6, Generation::android15_6_6,
     Generation::android15_6_6},
    {Hypercall::pkvm_iommu_init, call_iommu_init_6_12, Generation::android16_6_12},
    {Hypercall::pkvm_iommu_driver_init, call_iommu_driver_init},
    {Hypercall::pkvm_iommu_register, call_iommu_register},
    {Hypercall::pkvm_iommu_pm_notify, call_iommu_pm_notify},
    {Hypercall::pkvm_iommu_finalize, call_iommu_finalize},
    {Hypercall::pkvm_devices_init, call_devices_init},
    {Hypercall::pkvm_prot_finalize, prot_finalize},
    {Hypercall::pkvm_host_share_hyp, host_share_hyp},
    {Hypercall::pkvm_host_unshare_hyp, host_unshare_hyp},
    {Hypercall::pkvm_init_vm, call_init_vm},
    {Hypercall::pkvm_init_vcpu, call_init_vcpu},
    {Hypercall::pkvm_vcpu_load, call_vcpu_load},
    {Hypercall::pkvm_vcpu_put, call_vcpu_put},
    {Hypercall::pkvm_vcpu_sync_state, call_vcpu_sync_state},
    {Hypercall::kvm_vcpu_run, call_vcpu_run},
    {Hypercall::pkvm_start_teardown_vm, call_start_teardown_vm},
    {Hypercall::pkvm_finalize_teardown_vm, call_finalize_teardown_vm},
    {Hypercall::pkvm_reclaim_dying_guest_page, call_reclaim_page_at_ipa, Generation::android14_6_1,
     Generation::android14_6_1},
    {Hypercall::pkvm_reclaim_dying_guest_page, call_reclaim_page_at_gfn, Generation::android15_6_6},
    {Hypercall::pkvm_reclaim_dying_guest_ffa_resources, call_reclaim_guest_ffa},
    {Hypercall::pkvm_host_get_ffa_version, call_get_ffa_version},
    {Hypercall::pkvm_host_map_guest, call_host_map_guest_page, Generation::android14_6_1,
     Generation::android14_6_1},
    {Hypercall::pkvm_host_map_guest, call_host_map_guest_range, Generation::android15_6_6},
    {Hypercall::pkvm_host_unmap_guest, call_host_unmap_guest},
    {Hypercall::pkvm_host_donate_guest, call_host_donate_guest},
    {Hypercall::pkvm_host_share_guest, call_host_share_guest},
    {Hypercall::pkvm_host_unshare_guest, call_host_unshare_guest},
    {Hypercall::pkvm_load_tracing, load_tracing, Generation::android15_6_6},
    {Hypercall::pkvm_teardown_tracing, teardown_tracing, Generation::android15_6_6},
    {Hypercall::pkvm_enable_tracing, enable_tracing, Generation::android15_6_6},
    {Hypercall::pkvm_swap_reader_tracing, swap_reader_tracing, Generation::android15_6_6},
    {Hypercall::pkvm_reset_tracing, reset_tracing, Generation::android16_6_12},
    {Hypercall::pkvm_enable_event, enable_event, Generation::android15_6_6},
    {Hypercall::pkvm_hyp_alloc_mgt_refill, call_hyp_alloc_mgt_refill},
    {Hypercall::pkvm_hyp_alloc_mgt_reclaimable, call_hyp_alloc_mgt_reclaimable},
    {Hypercall::pkvm_hyp_alloc_mgt_reclaim, call_hyp_alloc_mgt_reclaim},
    {Hypercall::pkvm_host_iommu_alloc_domain, call_iommu_alloc_domain},
    {Hypercall::pkvm_host_iommu_free_domain, call_iommu_free_domain},
    {Hypercall::pkvm_host_iommu_attach_dev, call_iommu_attach_dev},
    {Hypercall::pkvm_host_iommu_detach_dev, call_iommu_detach_dev},
    {Hypercall::pkvm_host_iommu_map_pages, call_iommu_map_pages},
    {Hypercall::pkvm_host_iommu_unmap_pages, call_iommu_unmap_pages},
    {Hypercall::pkvm_host_iommu_iova_to_phys, call_iommu_iova_to_phys},
    {Hypercall::pkvm_host_hvc_pd, call_host_hvc_pd},
});

constexpr std::size_t largest_table = 76;

constexpr auto tables = [] {
  std::array<std::array<StaticCall, largest_table>, pkvm::generation_count> result{};
  for (const pkvm::GenerationInfo& generation : pkvm::generations)
    for (const Row& row : rows) {
      const auto number = pkvm::hypercall_number(generation.id, row.call);
      if (!number || generation.id < row.since || generation.id > row.until) continue;
      result[static_cast<std::size_t>(generation.id)][*number] = row.handler;
    }
  return result;
}();

}  // namespace

void get_mdcr_el2(user_pt_regs* regs) {
  regs->regs[1] = arch::read<Sysreg::mdcr_el2>();
}

std::span<const StaticCall> static_calls(pkvm::Generation generation) {
  return std::span(tables[static_cast<std::size_t>(generation)])
      .first(pkvm::info(generation).static_calls);
}

}  // namespace pkvmemu::hyp
