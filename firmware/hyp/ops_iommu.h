// SPDX-License-Identifier: GPL-2.0-only
// The ops for IOMMU drivers and for devices (pkvm-abi.md 1.6): like ops.h, in the hypervisor's own
// types.
#pragma once

#include <cstdint>

#include "hyp/abi_types.h"
#include "hyp/iommu_pools.h"
#include "support/address.h"

namespace pkvmemu::hyp::ops {

/// Null when there are no pages.
void* iommu_donate_pages(unsigned order, OnFailure on_failure, Caching caching);
void iommu_reclaim_pages(HypVa block, unsigned order);
void* iommu_donate_pages_atomic(unsigned order);
int iommu_request(const kvm_hyp_req& request);
int iommu_init_device(kvm_hyp_iommu* device);
void iommu_iotlb_gather_add_page(kvm_hyp_iommu_domain* domain, iommu_iotlb_gather* gather,
                                 std::uint64_t iova, std::uint64_t size);
void iommu_flush_unmap_cache(kvm_iommu_paddr_cache* cache);
int iommu_snapshot_host_stage2(kvm_hyp_iommu_domain* domain);
int pkvm_unuse_dma(Pa pa, std::uint64_t size);
int device_register_reset(Pa pa, std::uint64_t cookie, HypVa function);

}  // namespace pkvmemu::hyp::ops
