// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/iommu.h"

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

int Iommu::init(const Request& request, Ownership& ownership, const LinearMap& linear) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.iommu.init", Errno::enodev, "__pkvm_iommu_init"))
    return fault.answer;
  if (request.ops == nullptr || !request.ops->complete()) {
    check(request.incomplete != IncompleteDriver::fatal);
    return pkvm::negated(Errno::enodev);
  }
  const Status taken =
      take_memcache({.head = request.memcache_head, .blocks = request.pages}, ownership, linear);
  if (!taken) return to_int(taken);
  const int result = fw::function_at<int(unsigned long)>(request.ops->init())(request.argument);
  if (result == 0) ops_ = request.ops;
  return result;
}

HypVa Iommu::abort_handler(pkvm::Generation generation) const {
  constexpr static std::array<std::size_t, pkvm::generation_count> offsets = {
      0, offsetof(kvm_iommu_ops_6_6, dabt_handler), offsetof(kvm_iommu_ops_6_12, dabt_handler)};
  const std::size_t offset = offsets[static_cast<std::size_t>(generation)];
  if (ops_ == nullptr || offset == 0) return HypVa{0};
  const HypVa ops{reinterpret_cast<std::uint64_t>(ops_)};
  return *fw::object_at<const HypVa>(ops + offset);
}

int Iommu::finalize() {
  if (finalized_) return pkvm::negated(Errno::eperm);
  finalized_ = true;
  return 0;
}

Status Iommu::take_memcache(Memcache cache, Ownership& ownership, const LinearMap& linear) {
  while (!cache.empty()) {
    const std::uint64_t order = cache.head & low_mask(page_shift);
    const Expected<PaRange> block = cache.take(ownership, linear);
    if (!block) return error(block.error());
    *linear.pointer<std::uint64_t>(block->begin) = atomic_head_;
    atomic_head_ = block->begin.value | order;
    atomic_pages_ += block->size() >> page_shift;
  }
  return {};
}

}  // namespace pkvmemu::hyp
