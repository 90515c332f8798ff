/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <asm/hyp_image.h>
#include <asm/kvm_asm.h>
#include <asm/kvm_pgtable.h>
#include <asm/ptrace.h>

#include <linux/types.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
/* Blocks of pages on their way to the hypervisor: the order of each stands in its link's low bits. */
struct kvm_hyp_memcache {
	phys_addr_t head;
	unsigned long nr_pages;
	unsigned long flags;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	void *mapping;
	u64 reserved[2];
#endif
};

#define HYP_ALLOC_MGT_HEAP_ID 0
#define HYP_ALLOC_MGT_IOMMU_ID 1

enum { KVM_HYP_LAST_REQ, KVM_HYP_REQ_TYPE_MEM, KVM_HYP_REQ_TYPE_MAP };
enum { REQ_MEM_DEST_HYP_ALLOC = 1, REQ_MEM_DEST_VCPU_MEMCACHE, REQ_MEM_DEST_HYP_IOMMU };

/* What the hypervisor asks of the host. */
struct kvm_hyp_req {
	u8 type;
	union {
		struct {
			u8 dest;
			int nr_pages;
			int sz_alloc;
		} mem __attribute__((aligned(8)));
		struct {
			unsigned long guest_ipa;
			size_t size;
		} map;
	};
};
#endif

#ifndef __KVM_NVHE_HYPERVISOR__
/* Pages for the hypervisor's heap, which hyp_alloc asked for (android15 and later). */
int __pkvm_topup_hyp_alloc(unsigned long nr_pages);

/* The power of an IOMMU, which pKVM's driver hears of. */
struct device;
int pkvm_iommu_suspend(struct device *dev);
int pkvm_iommu_resume(struct device *dev);

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
/* Drivers of IOMMUs and their devices; `drv` is the hypervisor's address of the driver. */
int pkvm_iommu_driver_init(u64 drv, void *data, size_t size);
int pkvm_iommu_register(struct device *dev, u64 drv, phys_addr_t pa, size_t size,
			struct device *parent, u8 flags);
int pkvm_iommu_finalize(int err);
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
/* The same for the allocator `id`, in blocks of `sz_alloc` bytes. */
int __pkvm_topup_hyp_alloc_mgt_gfp(unsigned long id, unsigned long nr_pages,
				   unsigned long sz_alloc, unsigned int gfp);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
int __pkvm_topup_hyp_alloc_mgt(unsigned long id, unsigned long nr_pages, unsigned long sz_alloc);
int __pkvm_topup_hyp_alloc_mgt_mc(unsigned long id, struct kvm_hyp_memcache *mc);
#endif

int topup_hyp_memcache(struct kvm_hyp_memcache *mc, unsigned long min_pages, unsigned long order);
void free_hyp_memcache(struct kvm_hyp_memcache *mc);

/* The driver behind pKVM's IOMMU; init_driver runs before the host gives up its privileges. */
struct kvm_iommu_ops;
struct device_node;
struct kvm_iommu_driver {
	int (*init_driver)(void);
	void (*remove_driver)(void);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	unsigned int (*get_iommu_id)(struct device *dev);
#else
	unsigned int (*get_iommu_id_by_of)(struct device_node *np);
	void *get_device_iommu_num_ids;
	void *get_device_iommu_id;
	void *guest_alloc;
	void *guest_free;
#endif
	u64 reserved[8];
};
int kvm_iommu_register_driver(struct kvm_iommu_driver *kern_ops);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
int kvm_iommu_init_hyp(struct kvm_iommu_ops *hyp_ops, struct kvm_hyp_memcache *mc,
		       unsigned long init_arg);
#else
int kvm_iommu_init_hyp(struct kvm_iommu_ops *hyp_ops, struct kvm_hyp_memcache *mc);
int kvm_iommu_alloc_domain(unsigned int domain_id, int type);
int kvm_iommu_free_domain(unsigned int domain_id);
int kvm_iommu_attach_dev(unsigned int iommu_id, unsigned int domain_id, unsigned int endpoint,
			 unsigned int pasid, unsigned int ssid_bits, unsigned long flags);
int kvm_iommu_detach_dev(unsigned int iommu_id, unsigned int domain_id, unsigned int endpoint,
			 unsigned int pasid);
int kvm_iommu_map_pages(unsigned int domain_id, unsigned long iova, phys_addr_t paddr, size_t pgsize,
			size_t pgcount, int prot, gfp_t gfp, size_t *total_mapped);
size_t kvm_iommu_unmap_pages(unsigned int domain_id, unsigned long iova, size_t pgsize,
			     size_t pgcount);
phys_addr_t kvm_iommu_iova_to_phys(unsigned int domain_id, unsigned long iova);
struct kvm_iommu_sg {
	phys_addr_t phys;
	size_t pgsize;
	unsigned int pgcount;
};
int kvm_iommu_share_hyp_sg(struct kvm_iommu_sg *sg, unsigned int nents);
int kvm_iommu_unshare_hyp_sg(struct kvm_iommu_sg *sg, unsigned int nents);
#endif
#endif
#endif
