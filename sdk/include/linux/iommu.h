/* SPDX-License-Identifier: GPL-2.0-only */
/* What EL2 code for IOMMUs takes from the kernel's own IOMMU interface. */
#pragma once

#include <linux/types.h>

#define IOMMU_READ (1 << 0)
#define IOMMU_WRITE (1 << 1)
#define IOMMU_CACHE (1 << 2)
#define IOMMU_NOEXEC (1 << 3)
#define IOMMU_MMIO (1 << 4)
#define IOMMU_PRIV (1 << 5)

/* Addresses whose translations are to be forgotten; `end` is the last one of them. */
struct iommu_iotlb_gather {
	unsigned long start;
	unsigned long end;
	size_t pgsize;
	struct list_head freelist;
	bool queued;
	u64 reserved[2];
};
