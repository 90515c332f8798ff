// SPDX-License-Identifier: GPL-2.0-only
// The driver behind __pkvm_iommu_init (pkvm-abi.md 7.9, form of 6.6): operations that a module, or
// our built-in null driver, brings, and the pages that the host gives for their atomic use.
#pragma once

#include <cstdint>

#include "hyp/abi_types.h"
#include "hyp/ownership.h"
#include "hyp/status.h"

// The ABI's structure: function pointers in the order of the specification, 8 reserves.
// NOLINTNEXTLINE(readability-identifier-naming)
struct kvm_iommu_ops {
  int (*init)(unsigned long arg);
  kvm_hyp_iommu* (*get_iommu_by_id)(pkvm_handle_t id);
  int (*alloc_domain)(kvm_hyp_iommu_domain* domain, int type);
  void (*free_domain)(kvm_hyp_iommu_domain* domain);
  int (*attach_dev)(kvm_hyp_iommu* iommu, kvm_hyp_iommu_domain* domain, u32 endpoint, u32 pasid,
                    u32 pasid_bits);
  int (*detach_dev)(kvm_hyp_iommu* iommu, kvm_hyp_iommu_domain* domain, u32 endpoint, u32 pasid);
  bool (*dabt_handler)(kvm_cpu_context* host, u64 esr, u64 address);
  int (*suspend)(kvm_hyp_iommu* iommu);
  int (*resume)(kvm_hyp_iommu* iommu);
  void (*iotlb_sync)(kvm_hyp_iommu_domain* domain, iommu_iotlb_gather* gather);
  void (*host_stage2_idmap)(kvm_hyp_iommu_domain* domain, phys_addr_t start, phys_addr_t end,
                            int prot);
  void* map_pages;
  void* unmap_pages;
  void* iova_to_phys;
  u64 reserved[8];
};
static_assert(sizeof(kvm_iommu_ops) == 22 * sizeof(u64));

/// In the image's data; its offset stands in the image header for the host.
extern "C" const kvm_iommu_ops hyp_null_iommu_ops;  // NOLINT(bugprone-dynamic-static-initializers)

namespace pkvmemu::hyp {

class Iommu {
 public:
  /// Checks the driver, takes the host's pages (a memcache, pkvm-abi.md 7.8), and runs its init.
  int init(const kvm_iommu_ops* ops, std::uint64_t memcache_head, std::uint64_t pages,
           unsigned long argument, Ownership& ownership, const LinearMap& linear);

  std::uint64_t atomic_pages() const { return atomic_pages_; }
  const kvm_iommu_ops* ops() const { return ops_; }

 private:
  Status take_memcache(std::uint64_t head, std::uint64_t pages, Ownership& ownership,
                       const LinearMap& linear);

  const kvm_iommu_ops* ops_ = nullptr;
  std::uint64_t atomic_head_ = 0;
  std::uint64_t atomic_pages_ = 0;
};

}  // namespace pkvmemu::hyp
