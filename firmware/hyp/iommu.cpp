// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/iommu.h"

#include "hyp/hypervisor.h"
#include "lib/address_cast.h"
#include "lib/fault.h"
#include "support/bits.h"

namespace {

// The null driver: it accepts everything and knows no device. Domains are bookkeeping that the
// caller keeps.
int null_init_6_6(unsigned long /*arg*/) {
  return 0;
}
int null_init_6_12() {
  return 0;
}
kvm_hyp_iommu* null_get_iommu_by_id(pkvm_handle_t /*id*/) {
  return nullptr;
}
int null_alloc_domain(kvm_hyp_iommu_domain* /*domain*/, int /*type*/) {
  return 0;
}
void null_free_domain(kvm_hyp_iommu_domain* /*domain*/) {}
int null_attach_dev_6_6(kvm_hyp_iommu* /*iommu*/, kvm_hyp_iommu_domain* /*domain*/,
                        u32 /*endpoint*/, u32 /*pasid*/, u32 /*pasid_bits*/) {
  return 0;
}
int null_attach_dev_6_12(kvm_hyp_iommu* /*iommu*/, kvm_hyp_iommu_domain* /*domain*/,
                         u32 /*endpoint*/, u32 /*pasid*/, u32 /*pasid_bits*/,
                         unsigned long /*flags*/) {
  return 0;
}
int null_detach_dev(kvm_hyp_iommu* /*iommu*/, kvm_hyp_iommu_domain* /*domain*/, u32 /*endpoint*/,
                    u32 /*pasid*/) {
  return 0;
}

}  // namespace

extern "C" [[gnu::used]] const kvm_iommu_ops_6_6 hyp_null_iommu_ops_6_6 = {
    .init = null_init_6_6,
    .get_iommu_by_id = null_get_iommu_by_id,
    .alloc_domain = null_alloc_domain,
    .free_domain = null_free_domain,
    .attach_dev = null_attach_dev_6_6,
    .detach_dev = null_detach_dev,
    .dabt_handler = nullptr,
    .suspend = nullptr,
    .resume = nullptr,
    .iotlb_sync = nullptr,
    .host_stage2_idmap = nullptr,
    .map_pages = nullptr,
    .unmap_pages = nullptr,
    .iova_to_phys = nullptr,
    .reserved = {},
};

extern "C" [[gnu::used]] const kvm_iommu_ops_6_12 hyp_null_iommu_ops_6_12 = {
    .init = null_init_6_12,
    .alloc_domain = null_alloc_domain,
    .free_domain = null_free_domain,
    .get_iommu_by_id = null_get_iommu_by_id,
    .attach_dev = null_attach_dev_6_12,
    .detach_dev = null_detach_dev,
    .map_pages = nullptr,
    .unmap_pages = nullptr,
    .iova_to_phys = nullptr,
    .iotlb_sync = nullptr,
    .dabt_handler = nullptr,
    .host_stage2_idmap = nullptr,
    .host_stage2_idmap_complete = nullptr,
    .suspend = nullptr,
    .resume = nullptr,
    .dev_block_dma = nullptr,
    .get_iommu_token_by_id = nullptr,
    .reserved = {},
};

namespace pkvmemu::hyp {

namespace {

/// Offset of each operation in the structure of the generation; 0, where init stands, for none.
using Places = std::array<std::size_t, iommu_op_count>;

constexpr Places places_in_6_6 = {
    offsetof(kvm_iommu_ops_6_6, get_iommu_by_id),   offsetof(kvm_iommu_ops_6_6, alloc_domain),
    offsetof(kvm_iommu_ops_6_6, free_domain),       offsetof(kvm_iommu_ops_6_6, attach_dev),
    offsetof(kvm_iommu_ops_6_6, detach_dev),        offsetof(kvm_iommu_ops_6_6, map_pages),
    offsetof(kvm_iommu_ops_6_6, unmap_pages),       offsetof(kvm_iommu_ops_6_6, iova_to_phys),
    offsetof(kvm_iommu_ops_6_6, iotlb_sync),        offsetof(kvm_iommu_ops_6_6, dabt_handler),
    offsetof(kvm_iommu_ops_6_6, host_stage2_idmap), 0,
    offsetof(kvm_iommu_ops_6_6, suspend),           offsetof(kvm_iommu_ops_6_6, resume),
};
constexpr Places places_in_6_12 = {
    offsetof(kvm_iommu_ops_6_12, get_iommu_by_id),
    offsetof(kvm_iommu_ops_6_12, alloc_domain),
    offsetof(kvm_iommu_ops_6_12, free_domain),
    offsetof(kvm_iommu_ops_6_12, attach_dev),
    offsetof(kvm_iommu_ops_6_12, detach_dev),
    offsetof(kvm_iommu_ops_6_12, map_pages),
    offsetof(kvm_iommu_ops_6_12, unmap_pages),
    offsetof(kvm_iommu_ops_6_12, iova_to_phys),
    offsetof(kvm_iommu_ops_6_12, iotlb_sync),
    offsetof(kvm_iommu_ops_6_12, dabt_handler),
    offsetof(kvm_iommu_ops_6_12, host_stage2_idmap),
    offsetof(kvm_iommu_ops_6_12, host_stage2_idmap_complete),
    offsetof(kvm_iommu_ops_6_12, suspend),
    offsetof(kvm_iommu_ops_6_12, resume),
};
constexpr std::array<Places, pkvm::generation_count> places = {Places{}, places_in_6_6,
                                                               places_in_6_12};

/// The kernel's IOMMU_READ, IOMMU_WRITE and IOMMU_MMIO.
int iommu_prot(Prot prot, bool mmio) {
  constexpr int read = 1, write = 2, device = 16;
  if (!prot.any(Prot::rwx_mask)) return 0;
  return (prot.has(Prot::r) ? read : 0) | (prot.has(Prot::w) ? write : 0) | (mmio ? device : 0);
}

}  // namespace

int Iommu::init(const Request& request, IommuPools& pools) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.iommu.init", Errno::enodev, "__pkvm_iommu_init"))
    return fault.answer;
  if (request.ops == nullptr || !request.ops->complete()) {
    check(request.incomplete != IncompleteDriver::fatal);
    return pkvm::negated(Errno::enodev);
  }
  const Status taken = pools.refill_atomic(request.memcache);
  if (!taken) return to_int(taken);
  ops_ = request.ops;
  generation_ = request.generation;
  const fw::Fault fault =
      PKVM_FAULT_ERRNO("hyp.iommu.driver_init", Errno::enodev, "the IOMMU driver's init at EL2");
  const int result =
      fault ? fault.answer : fw::function_at<int(unsigned long)>(ops_->init())(request.argument);
  if (result != 0) {
    ops_ = nullptr;
    identity_ = nullptr;
  }
  return result;
}

HypVa Iommu::operation(IommuOp op) const {
  const std::size_t offset =
      places[static_cast<std::size_t>(generation_)][static_cast<std::size_t>(op)];
  if (ops_ == nullptr || offset == 0) return HypVa{0};
  const HypVa ops{reinterpret_cast<std::uint64_t>(ops_)};
  return *fw::object_at<const HypVa>(ops + offset);
}

void Iommu::host_may(PaRange range, Prot prot) {
  const HypVa tell = operation(IommuOp::host_stage2_idmap);
  if (identity_ == nullptr || tell.value == 0) return;
  const bool mmio = !hypervisor().host->memory().is_ram(range.begin);
  const int rights = iommu_prot(prot, mmio);
  fw::function_at<void(kvm_hyp_iommu_domain*, phys_addr_t, phys_addr_t, int)>(tell)(
      identity_, range.begin.value, range.end.value, rights);
  const HypVa complete = operation(IommuOp::host_stage2_idmap_complete);
  if (complete.value != 0) fw::function_at<void(bool)>(complete)(rights != 0);
}

void Iommu::snapshot(kvm_hyp_iommu_domain* domain, Ownership& ownership) {
  identity_ = domain;
  ownership.replay_host(*this);
}

}  // namespace pkvmemu::hyp
