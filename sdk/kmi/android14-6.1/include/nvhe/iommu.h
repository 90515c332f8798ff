/* SPDX-License-Identifier: GPL-2.0-only */
/* What an IOMMU driver's EL2 half offers to pKVM in android14-6.1 (pkvm-abi.md 7.9). */
#pragma once

#include <asm/kvm_pkvm_module.h>
#include <linux/list.h>
#include <linux/types.h>

struct kvm_cpu_context;
struct pkvm_iommu;

struct pkvm_iommu_ops {
	int (*init)(void *data, size_t size);
	int (*validate)(struct pkvm_iommu *dev);
	int (*validate_child)(struct pkvm_iommu *dev, struct pkvm_iommu *child);
	void (*host_stage2_idmap_prepare)(phys_addr_t start, phys_addr_t end,
					  enum kvm_pgtable_prot prot);
	void (*host_stage2_idmap_apply)(struct pkvm_iommu *dev, phys_addr_t start, phys_addr_t end);
	void (*host_stage2_idmap_complete)(struct pkvm_iommu *dev);
	int (*suspend)(struct pkvm_iommu *dev);
	int (*resume)(struct pkvm_iommu *dev);
	bool (*host_dabt_handler)(struct pkvm_iommu *dev, struct kvm_cpu_context *host_ctxt, u32 esr,
				  size_t off);
	size_t data_size;
};

struct pkvm_iommu_driver {
	const struct pkvm_iommu_ops *ops;
	struct list_head list;
	atomic_t state;
};

/* One device; the driver's own data_size bytes follow. */
struct pkvm_iommu {
	struct pkvm_iommu *parent;
	struct list_head list;
	struct list_head siblings;
	struct list_head children;
	unsigned long id;
	const struct pkvm_iommu_ops *ops;
	phys_addr_t pa;
	void *va;
	size_t size;
	bool powered;
	char flags;
	char data[];
};
