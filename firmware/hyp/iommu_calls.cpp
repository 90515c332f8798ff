// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/iommu_calls.h"

#include "hyp/hypervisor.h"
#include "hyp/ops.h"
#include "lib/address_cast.h"

namespace pkvmemu::hyp {

namespace {

void answer(user_pt_regs* regs, int value) {
  regs->regs[1] = static_cast<u64>(value);
}
void answer(user_pt_regs* regs, const Status& status) {
  answer(regs, to_int(status));
}

/// What waits for the host on this CPU goes with the answer.
void answer_with_request(user_pt_regs* regs, u64 value) {
  const kvm_hyp_req waiting = hypervisor().iommu_pools->requests().take(this_cpu().index);
  const pkvm::HypRequest request{.type = waiting.type,
                                 .dest = waiting.dest,
                                 .pages = static_cast<std::uint32_t>(waiting.nr_pages),
                                 .size = static_cast<std::uint32_t>(waiting.sz_alloc)};
  regs->regs[1] = value;
  regs->regs[2] = request.x2();
  regs->regs[3] = request.x3();
}

void iommu_init(user_pt_regs* regs, IncompleteDriver incomplete) {
  Hypervisor& hyp = hypervisor();
  answer(regs, hyp.iommu.init({.ops = fw::object_at<const IommuOps>(HypVa{regs->regs[1]}),
                               .memcache = {.head = regs->regs[2], .blocks = regs->regs[3]},
                               .argument = regs->regs[4],
                               .incomplete = incomplete,
                               .generation = hyp.generation},
                              *hyp.iommu_pools));
}

// Who manages the pages that a refill brings (7.8).
constexpr std::uint64_t heap_id = 0, iommu_id = 1;

IommuDomains::Device device_of(const user_pt_regs* regs) {
  return {.iommu = regs->regs[1],
          .domain = regs->regs[2],
          .endpoint = static_cast<std::uint32_t>(regs->regs[3]),
          .pasid = static_cast<std::uint32_t>(regs->regs[4]),
          .pasid_bits = static_cast<std::uint32_t>(regs->regs[5]),
          .flags = regs->regs[6]};
}

}  // namespace

void call_iommu_init_6_6(user_pt_regs* regs) {
  iommu_init(regs, IncompleteDriver::fatal);
}
void call_iommu_init_6_12(user_pt_regs* regs) {
  iommu_init(regs, IncompleteDriver::no_device);
}

void call_iommu_driver_init(user_pt_regs* regs) {
  const std::uint64_t data = regs->regs[2];
  const HypVa at{data == 0 ? 0 : ops::kern_hyp_va(data)};
  answer(regs, hypervisor().iommu_devices.init_driver(
                   fw::object_at<pkvm_iommu_driver>(HypVa{regs->regs[1]}),
                   {.at = at, .size = data == 0 ? 0 : regs->regs[3]}));
}

void call_iommu_register(user_pt_regs* regs) {
  const Pa begin{regs->regs[3]};
  const std::uint64_t page = regs->regs[7];
  answer(regs, hypervisor().iommu_devices.add(
                   {.id = regs->regs[1],
                    .driver = fw::object_at<pkvm_iommu_driver>(HypVa{regs->regs[2]}),
                    .registers = {begin, begin + regs->regs[4]},
                    .parent = regs->regs[5],
                    .flags = static_cast<std::uint8_t>(regs->regs[6]),
                    .page = HypVa{page == 0 ? 0 : ops::kern_hyp_va(page)}}));
}

void call_iommu_pm_notify(user_pt_regs* regs) {
  answer(regs, hypervisor().iommu_devices.notify(regs->regs[1], regs->regs[2]));
}

/// x1 has the driver's error; what it means is the host's business.
void call_iommu_finalize(user_pt_regs* regs) {
  answer(regs, hypervisor().iommu_devices.finalize());
}

void call_devices_init(user_pt_regs* regs) {
  hypervisor().devices.add(std::span(hyp_boot_info.devices).first(hyp_boot_info.device_count));
  answer(regs, 0);
}

void call_hyp_alloc_mgt_refill(user_pt_regs* regs) {
  Hypervisor& hyp = hypervisor();
  Memcache pages{.head = regs->regs[2], .blocks = regs->regs[3]};
  switch (regs->regs[1]) {
    case heap_id:
      answer(regs, hyp.heap->refill(pages));
      break;
    case iommu_id:
      answer(regs, hyp.iommu_pools->refill(pages));
      break;
    default:
      answer(regs, pkvm::negated(Errno::einval));
  }
  // What is still the host's, as 6.6.127 tells it (pkvm-abi.md 5.5); older ones leave x2 and x3.
  regs->regs[2] = pages.head;
  regs->regs[3] = pages.blocks;
}

void call_hyp_alloc_mgt_reclaimable(user_pt_regs* regs) {
  Hypervisor& hyp = hypervisor();
  regs->regs[1] = hyp.heap->reclaimable() + hyp.iommu_pools->reclaimable();
}

void call_hyp_alloc_mgt_reclaim(user_pt_regs* regs) {
  Hypervisor& hyp = hypervisor();
  const std::uint64_t target = regs->regs[1];
  Memcache pages = hyp.heap->reclaim(target);
  hyp.iommu_pools->reclaim_to(pages, target);
  regs->regs[1] = pages.head;
  regs->regs[2] = pages.blocks;
}

void call_iommu_alloc_domain(user_pt_regs* regs) {
  const int result =
      hypervisor().iommu_domains.alloc(regs->regs[1], static_cast<int>(regs->regs[2]));
  answer_with_request(regs, static_cast<u64>(result));
}

void call_iommu_free_domain(user_pt_regs* regs) {
  answer_with_request(regs, static_cast<u64>(hypervisor().iommu_domains.free(regs->regs[1])));
}

void call_iommu_attach_dev(user_pt_regs* regs) {
  answer_with_request(regs, static_cast<u64>(hypervisor().iommu_domains.attach(device_of(regs))));
}

void call_iommu_detach_dev(user_pt_regs* regs) {
  answer_with_request(regs, static_cast<u64>(hypervisor().iommu_domains.detach(device_of(regs))));
}

void call_iommu_map_pages(user_pt_regs* regs) {
  const IommuDomains::Mapped mapped =
      hypervisor().iommu_domains.map({.domain = regs->regs[1],
                                      .iova = regs->regs[2],
                                      .page_size = regs->regs[4],
                                      .page_count = regs->regs[5]},
                                     Pa{regs->regs[3]}, static_cast<int>(regs->regs[6]));
  if (iommu_rules(hypervisor().generation).mapping_fails_in_x0)
    regs->regs[0] = static_cast<u64>(mapped.error);
  answer_with_request(regs, mapped.bytes);
}

void call_iommu_unmap_pages(user_pt_regs* regs) {
  answer_with_request(regs, hypervisor().iommu_domains.unmap({.domain = regs->regs[1],
                                                              .iova = regs->regs[2],
                                                              .page_size = regs->regs[3],
                                                              .page_count = regs->regs[4]}));
}

void call_iommu_iova_to_phys(user_pt_regs* regs) {
  regs->regs[1] = hypervisor().iommu_domains.iova_to_phys(regs->regs[1], regs->regs[2]);
}

void call_host_hvc_pd(user_pt_regs* regs) {
  using Power = PowerDomains::Power;
  const Power power = regs->regs[2] != 0 ? Power::on : Power::off;
  answer(regs, hypervisor().power_domains.set(regs->regs[1], power));
}

}  // namespace pkvmemu::hyp
