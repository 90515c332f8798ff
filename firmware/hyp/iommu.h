// SPDX-License-Identifier: GPL-2.0-only
// The driver behind __pkvm_iommu_init (pkvm-abi.md 7.9, forms of 6.6 and 6.12): operations that a
// module, or our built-in null driver, brings, and the pages that the host gives for their atomic
// use. 6.1 has device drivers instead; of them only the end of registration is here.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "hyp/abi_types.h"
#include "hyp/memcache.h"
#include "hyp/ownership.h"
#include "hyp/status.h"

// The ABI's structures: function pointers in the order of the specification, 8 reserves. What no
// generation checks or calls here yet is just a pointer.
// NOLINTBEGIN(readability-identifier-naming)
struct kvm_iommu_ops_6_6 {
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
static_assert(sizeof(kvm_iommu_ops_6_6) == 22 * sizeof(u64));

struct kvm_iommu_ops_6_12 {
  int (*init)();
  int (*alloc_domain)(kvm_hyp_iommu_domain* domain, int type);
  void (*free_domain)(kvm_hyp_iommu_domain* domain);
  kvm_hyp_iommu* (*get_iommu_by_id)(pkvm_handle_t id);
  int (*attach_dev)(kvm_hyp_iommu* iommu, kvm_hyp_iommu_domain* domain, u32 endpoint, u32 pasid,
                    u32 pasid_bits, unsigned long flags);
  int (*detach_dev)(kvm_hyp_iommu* iommu, kvm_hyp_iommu_domain* domain, u32 endpoint, u32 pasid);
  void* map_pages;
  void* unmap_pages;
  void* iova_to_phys;
  void (*iotlb_sync)(kvm_hyp_iommu_domain* domain, iommu_iotlb_gather* gather);
  bool (*dabt_handler)(user_pt_regs* host, u64 esr, u64 address);
  void (*host_stage2_idmap)(kvm_hyp_iommu_domain* domain, phys_addr_t start, phys_addr_t end,
                            int prot);
  void (*host_stage2_idmap_complete)(bool map);
  int (*suspend)(kvm_hyp_iommu* iommu);
  int (*resume)(kvm_hyp_iommu* iommu);
  void* dev_block_dma;
  void* get_iommu_token_by_id;
  u64 reserved[8];
};
static_assert(sizeof(kvm_iommu_ops_6_12) == 25 * sizeof(u64));
// NOLINTEND(readability-identifier-naming)

/// In the image's data; their offsets stand in the image header for the host.
// NOLINTBEGIN(bugprone-dynamic-static-initializers)
extern "C" const kvm_iommu_ops_6_6 hyp_null_iommu_ops_6_6;
extern "C" const kvm_iommu_ops_6_12 hyp_null_iommu_ops_6_12;
// NOLINTEND(bugprone-dynamic-static-initializers)

namespace pkvmemu::hyp {

/// What the hypervisor itself needs of a driver's operations: in both forms init comes first, and
/// the first six are those that a driver cannot do without.
struct IommuOps {
  static constexpr unsigned mandatory_count = 6;
  HypVa mandatory[mandatory_count];

  constexpr HypVa init() const { return mandatory[0]; }
  constexpr bool complete() const {
    return std::ranges::all_of(mandatory, [](HypVa operation) { return operation.value != 0; });
  }
};
static_assert(offsetof(kvm_iommu_ops_6_6, dabt_handler) == sizeof(IommuOps));
static_assert(offsetof(kvm_iommu_ops_6_12, map_pages) == sizeof(IommuOps));

/// What the generations do with a driver that lacks one: WARN, which is fatal, or an answer.
enum class IncompleteDriver : std::uint8_t { fatal, no_device };

class Iommu {
 public:
  struct Request {
    const IommuOps* ops;
    std::uint64_t memcache_head;
    std::uint64_t pages;
    unsigned long argument;  ///< for init; 6.12's takes none and does not look
    IncompleteDriver incomplete;
  };

  /// Checks the driver, takes the host's pages (a memcache, pkvm-abi.md 7.8), and runs its init.
  int init(const Request& request, Ownership& ownership, const LinearMap& linear);

  /// 6.1: no more devices come. -EPERM the second time.
  int finalize();

  std::uint64_t atomic_pages() const { return atomic_pages_; }
  const IommuOps* ops() const { return ops_; }
  /// The driver's dabt_handler, where its generation's structure has one; 0 without.
  HypVa abort_handler(pkvm::Generation generation) const;

 private:
  Status take_memcache(Memcache cache, Ownership& ownership, const LinearMap& linear);

  const IommuOps* ops_ = nullptr;
  bool finalized_ = false;
  std::uint64_t atomic_head_ = 0;
  std::uint64_t atomic_pages_ = 0;
};

}  // namespace pkvmemu::hyp
