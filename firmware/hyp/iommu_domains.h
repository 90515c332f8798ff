// SPDX-License-Identifier: GPL-2.0-only
// Domains of the IOMMU driver, as the host's hypercalls make and fill them (pkvm-abi.md 5.3, 5.4,
// 7.9). Their structures lie in pages of the IOMMU's pools, so that making one may have to ask the
// host for memory.
#pragma once

#include <array>
#include <cstdint>

#include "hyp/iommu.h"
#include "lib/spinlock.h"

/// struct kvm_hyp_iommu_domain as far as both generations have it alike.
// NOLINTBEGIN(readability-identifier-naming)
struct kvm_hyp_iommu_domain {
  int refs;
  pkvm_handle_t domain_id;
  void* priv;
};

/// struct kvm_iommu_paddr_cache (6.6): what unmap_pages took out, for the caller to let go of.
struct kvm_iommu_paddr_cache {
  static constexpr unsigned most = 511;
  unsigned short ptr;
  u64 paddr[most];
  size_t pgsize[most];
};
// NOLINTEND(readability-identifier-naming)
static_assert(offsetof(kvm_iommu_paddr_cache, paddr) == 8 &&
              offsetof(kvm_iommu_paddr_cache, pgsize) == 8 + (511 * 8));

/// struct iommu_iotlb_gather.
// NOLINTBEGIN(readability-identifier-naming)
struct iommu_iotlb_gather {
  unsigned long start;
  unsigned long end;  ///< inclusive
  size_t pgsize;
  list_head freelist;
  bool queued;
  u64 reserved[2];
};
// NOLINTEND(readability-identifier-naming)
static_assert(sizeof(iommu_iotlb_gather) == 64);

namespace pkvmemu::hyp {

/// Everything about it is gone: the next page begins it anew.
constexpr void forget(iommu_iotlb_gather& gather) {
  gather.start = ~0UL;
  gather.end = 0;
  gather.pgsize = 0;
}
/// Has the driver forget what was gathered.
void sync(const Iommu& iommu, kvm_hyp_iommu_domain* domain, iommu_iotlb_gather& gather);
/// Extends it; before that, what was gathered is synced when the new range is not one with it.
void add_page(const Iommu& iommu, kvm_hyp_iommu_domain* domain, iommu_iotlb_gather& gather,
              std::uint64_t iova, std::uint64_t size);
/// Lets go of all its pages, which the host mapped.
void flush(kvm_iommu_paddr_cache& cache, Ownership& ownership);

class IommuDomains {
 public:
  constexpr IommuDomains() = default;

  struct Mapping {
    std::uint64_t domain;
    std::uint64_t iova;
    std::uint64_t page_size;
    std::uint64_t page_count;
  };
  struct Mapped {
    std::uint64_t bytes = 0;
    int error = 0;
  };
  struct Device {
    std::uint64_t iommu;
    std::uint64_t domain;
    std::uint32_t endpoint;
    std::uint32_t pasid;
    std::uint32_t pasid_bits = 0;
    std::uint64_t flags = 0;
  };

  int alloc(std::uint64_t id, int type);
  int free(std::uint64_t id);
  int attach(const Device& device);
  int detach(const Device& device);
  /// The pages come into use by devices until they are unmapped.
  Mapped map(const Mapping& what, Pa pa, int prot);
  /// Bytes unmapped.
  std::uint64_t unmap(const Mapping& what);
  /// 0 for what is not mapped.
  std::uint64_t iova_to_phys(std::uint64_t id, std::uint64_t iova);

 private:
  static constexpr unsigned max_leaves = 643;  ///< of 65536 domains, 40 bytes each

  struct Place {
    unsigned leaf;
    std::size_t offset;
  };
  static Place place_of(std::uint64_t id);
  /// Null for an id that the host has not, or whose page is not there.
  kvm_hyp_iommu_domain* slot(std::uint64_t id) const;
  kvm_hyp_iommu_domain* in_use(std::uint64_t id) const;
  Status make_leaf(std::uint64_t id);
  std::uint64_t unmap_some(kvm_hyp_iommu_domain* domain, const Mapping& what,
                           iommu_iotlb_gather& gather);

  std::array<HypVa, max_leaves> leaves_{};
  kvm_iommu_paddr_cache cache_{};
  fw::Spinlock lock_;
};

}  // namespace pkvmemu::hyp
