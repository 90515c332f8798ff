// SPDX-License-Identifier: GPL-2.0-only
// The driver behind __pkvm_iommu_init (pkvm-abi.md 7.9, forms of 6.6 and 6.12): operations that a
// module, or our built-in null driver, brings, and its identity domain, which hears what the host
// may reach. Domains are in iommu_domains.h, pages for tables in iommu_pools.h. 6.1 has device
// drivers instead (iommu_devices.h).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "hyp/abi_types.h"
#include "hyp/iommu_pools.h"
#include "hyp/ownership.h"
#include "hyp/status.h"
#include "lib/address_cast.h"

// The ABI's structures: function pointers in the order of the specification, 8 reserves. What
// nothing here calls is just a pointer. The specification has the order alone: the types are what
// drivers of the two kernels have.
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
  int (*map_pages)(kvm_hyp_iommu_domain* domain, unsigned long iova, phys_addr_t paddr,
                   size_t pgsize, size_t pgcount, int prot, size_t* total_mapped);
  size_t (*unmap_pages)(kvm_hyp_iommu_domain* domain, unsigned long iova, size_t pgsize,
                        size_t pgcount, iommu_iotlb_gather* gather, kvm_iommu_paddr_cache* cache);
  phys_addr_t (*iova_to_phys)(kvm_hyp_iommu_domain* domain, unsigned long iova);
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
  int (*map_pages)(kvm_hyp_iommu_domain* domain, unsigned long iova, phys_addr_t paddr,
                   size_t pgsize, size_t pgcount, int prot, size_t* total_mapped);
  size_t (*unmap_pages)(kvm_hyp_iommu_domain* domain, unsigned long iova, size_t pgsize,
                        size_t pgcount, iommu_iotlb_gather* gather);
  phys_addr_t (*iova_to_phys)(kvm_hyp_iommu_domain* domain, unsigned long iova);
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

/// What is called besides init, whatever its place is.
enum class IommuOp : std::uint8_t {
  get_iommu_by_id,
  alloc_domain,
  free_domain,
  attach_dev,
  detach_dev,
  map_pages,
  unmap_pages,
  iova_to_phys,
  iotlb_sync,
  dabt_handler,
  host_stage2_idmap,
  host_stage2_idmap_complete,
  suspend,
  resume,
};
inline constexpr std::size_t iommu_op_count = 14;

/// What the generations do with a driver that lacks one: WARN, which is fatal, or an answer.
enum class IncompleteDriver : std::uint8_t { fatal, no_device };

class Iommu final : public HostMirror {
 public:
  constexpr Iommu() = default;

  struct Request {
    const IommuOps* ops;
    Memcache memcache;
    unsigned long argument;  ///< for init; 6.12's takes none and does not look
    IncompleteDriver incomplete;
    pkvm::Generation generation;
  };

  /// Checks the driver, puts the host's pages (pkvm-abi.md 7.8) into the atomic pool, and runs its
  /// init, which may use the driver already.
  int init(const Request& request, IommuPools& pools);

  const IommuOps* ops() const { return ops_; }
  /// 0 without a driver, without that operation of it, or where the generation has none.
  HypVa operation(IommuOp op) const;
  /// The same for a call; fatal when there is none.
  template <typename Signature>
  Signature* function(IommuOp op) const {
    const HypVa at = operation(op);
    check(at.value != 0);
    return fw::function_at<Signature>(at);
  }

  /// Replays what the host may reach into `domain`, which hears of all changes from then on.
  void snapshot(kvm_hyp_iommu_domain* domain, Ownership& ownership);
  void host_may(PaRange range, Prot prot) override;

 private:
  const IommuOps* ops_ = nullptr;
  pkvm::Generation generation_ = pkvm::Generation::android14_6_1;
  kvm_hyp_iommu_domain* identity_ = nullptr;
};

}  // namespace pkvmemu::hyp
