// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/ops_iommu.h"

#include <string_view>

#include "hyp/hypervisor.h"
#include "hyp/refusals.h"
#include "hyp/vm/life_cycle.h"
#include "lib/address_cast.h"
#include "lib/fault.h"

namespace pkvmemu::hyp::ops {

namespace {

/// The VM of the loaded protected vCPU, where its generation lets it bring pages.
Vm* guest_at_hand() {
  const Vcpu* const vcpu = loaded_vcpu();
  return vcpu != nullptr && vcpu->vm->is_protected ? vcpu->vm : nullptr;
}

GuestPool* guest_pool() {
  Vm* const guest =
      iommu_rules(hypervisor().generation).guests_bring_pages ? guest_at_hand() : nullptr;
  return guest == nullptr ? nullptr : &guest->pool;
}

}  // namespace

void* iommu_donate_pages(unsigned order, OnFailure on_failure, Caching caching) {
  return fw::object_at<void>(hypervisor().iommu_pools->donate(
      {.order = order, .on_failure = on_failure, .caching = caching, .guest = guest_pool()},
      this_cpu().index));
}

void iommu_reclaim_pages(HypVa block, unsigned order) {
  hypervisor().iommu_pools->reclaim(block, order, guest_pool());
}

void* iommu_donate_pages_atomic(unsigned order) {
  return fw::object_at<void>(hypervisor().iommu_pools->donate_atomic(order, this_cpu().index));
}

int iommu_request(const kvm_hyp_req& request) {
  return to_int(hypervisor().iommu_pools->requests().put(this_cpu().index, request));
}

int iommu_init_device(kvm_hyp_iommu* device) {
  return to_int(hypervisor().power_domains.init_device(device));
}

void iommu_iotlb_gather_add_page(kvm_hyp_iommu_domain* domain, iommu_iotlb_gather* gather,
                                 std::uint64_t iova, std::uint64_t size) {
  add_page(hypervisor().iommu, domain, *gather, iova, size);
}

void iommu_flush_unmap_cache(kvm_iommu_paddr_cache* cache) {
  flush(*cache, *hypervisor().ownership);
}

int iommu_snapshot_host_stage2(kvm_hyp_iommu_domain* domain) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.iommu.snapshot", Errno::enomem,
                                               "the IOMMU driver is told of the host's stage 2"))
    return fault.answer;
  hypervisor().iommu.snapshot(domain, *hypervisor().ownership);
  return 0;
}

int pkvm_unuse_dma(Pa pa, std::uint64_t size) {
  constexpr std::string_view op = "pkvm_unuse_dma";
  if (pa.value + size < pa.value) return page_answer(op, pa, error(Errno::einval));
  const DmaUser user = guest_at_hand() != nullptr ? DmaUser::guest : DmaUser::host;
  return page_answer(op, pa, hypervisor().ownership->unuse_dma({pa, pa + size}, user));
}

int device_register_reset(Pa pa, std::uint64_t cookie, HypVa function) {
  return page_answer(
      "device_register_reset", pa,
      hypervisor().devices.register_reset(pa, {.function = function, .cookie = cookie}));
}

}  // namespace pkvmemu::hyp::ops
