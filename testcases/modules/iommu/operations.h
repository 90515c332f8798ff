/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What iommu_hvc does for each x1; x2, x3 are its arguments. The result comes back in x1 (errors
 * negative), others in x2 to x4 where noted; -ENOSYS where the generation has no such operation.
 * Tests in C and C++ include this.
 */
#pragma once

enum iommu_operation {
	IOMMU_DONATE = 0,	/* x1 = iommu_donate_pages(order x2, x3), x2 = all its words, or-ed */
	IOMMU_RECLAIM = 1,	/* iommu_reclaim_pages(the x3-th last one donated, order x2) */
	IOMMU_DONATE_ATOMIC = 2,	/* x1 = iommu_donate_pages_atomic(order x2) */
	IOMMU_RECLAIM_ATOMIC = 3,	/* iommu_reclaim_pages_atomic(the last one, order x2) */
	IOMMU_REQUEST = 4,	/* iommu_request of type x2 for the heap, x3 pages */
	IOMMU_INIT_DEVICE = 5,	/* iommu_init_device of power domain type x2, id x3; x2 = its lock.
				 * SCMI: x3 = function | domain << 32, memory x4, its size x5 */
	IOMMU_GATHER = 6,	/* iommu_iotlb_gather_add_page(x2, size x3); x1 = syncs so far, x2 = start, x3 = end */
	IOMMU_FLUSH = 7,	/* iommu_flush_unmap_cache of PA x2, size x3; x1 = entries left */
	IOMMU_SNAPSHOT = 8,	/* iommu_snapshot_host_stage2; x2 = 64 MiB that the driver was told of, x3 = how often of PA x2 */
	IOMMU_TOLD = 9,	/* x1 = times told since, x2 = last start, x3 = end, x4 = prot, x5 = completions */
	IOMMU_UNUSE = 10,	/* pkvm_unuse_dma(x2, x3) */
	IOMMU_RESET = 11,	/* device_register_reset(x2) */
	IOMMU_POWER = 12,	/* x1 = suspends, x2 = resumes, x3 = power_is_off */
	IOMMU_ABORTS = 13,	/* x1 = aborts offered to the driver, x2 = the last address */
	IOMMU_MOD_PROT = 14,	/* host_stage2_mod_prot(pfn x2, prot x3, 1, update_iommu x4) */
	IOMMU_SHARE = 15,	/* host_share_hyp(pfn x2) */
	IOMMU_DONATE_HOST = 16,	/* host_donate_hyp(pfn x2, 1, accept_mmio x3) */
	IOMMU_RETURN = 17,	/* hyp_donate_host(pfn x2, 1) */
	IOMMU_ROOM = 18,	/* the driver maps at most x2 pages in one call */
	IOMMU_LEAF = 19,	/* host_stage2_get_leaf(PA x2): x2 = descriptor */
};
