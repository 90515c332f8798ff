/* SPDX-License-Identifier: GPL-2.0-only */
/* What an IOMMU driver's EL2 half offers to pKVM in android15-6.6 (pkvm-abi.md 7.9). */
#pragma once

#include <asm/kvm_pkvm_module.h>
#include <kvm/iommu.h>
#include <linux/iommu.h>

#define KVM_IOMMU_PADDR_CACHE_MAX 511

/* What unmap_pages took out, for pKVM to let go of. */
struct kvm_iommu_paddr_cache {
	unsigned short ptr;
	u64 paddr[KVM_IOMMU_PADDR_CACHE_MAX];
	size_t pgsize[KVM_IOMMU_PADDR_CACHE_MAX];
};

struct kvm_cpu_context;

struct kvm_iommu_ops {
	int (*init)(unsigned long arg);
	struct kvm_hyp_iommu *(*get_iommu_by_id)(pkvm_handle_t id);
	int (*alloc_domain)(struct kvm_hyp_iommu_domain *domain, int type);
	void (*free_domain)(struct kvm_hyp_iommu_domain *domain);
	int (*attach_dev)(struct kvm_hyp_iommu *iommu, struct kvm_hyp_iommu_domain *domain,
			  u32 endpoint_id, u32 pasid, u32 pasid_bits);
	int (*detach_dev)(struct kvm_hyp_iommu *iommu, struct kvm_hyp_iommu_domain *domain,
			  u32 endpoint_id, u32 pasid);
	bool (*dabt_handler)(struct kvm_cpu_context *host_ctxt, u64 esr, u64 addr);
	int (*suspend)(struct kvm_hyp_iommu *iommu);
	int (*resume)(struct kvm_hyp_iommu *iommu);
	void (*iotlb_sync)(struct kvm_hyp_iommu_domain *domain, struct iommu_iotlb_gather *gather);
	void (*host_stage2_idmap)(struct kvm_hyp_iommu_domain *domain, phys_addr_t start,
				  phys_addr_t end, int prot);
	int (*map_pages)(struct kvm_hyp_iommu_domain *domain, unsigned long iova, phys_addr_t paddr,
			 size_t pgsize, size_t pgcount, int prot, size_t *total_mapped);
	size_t (*unmap_pages)(struct kvm_hyp_iommu_domain *domain, unsigned long iova, size_t pgsize,
			      size_t pgcount, struct iommu_iotlb_gather *gather,
			      struct kvm_iommu_paddr_cache *cache);
	phys_addr_t (*iova_to_phys)(struct kvm_hyp_iommu_domain *domain, unsigned long iova);
	u64 reserved[8];
};
