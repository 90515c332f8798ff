// SPDX-License-Identifier: GPL-2.0-only
// Page tables of domains, in pages that pKVM's pool for IOMMUs has from the host (android15 and
// later). Where there are none the operation fails, and pKVM asks the host for more.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "sketch.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define ENTRIES 512UL
#define VALID 1UL

static u64 *take_page(void)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	return pkvm_ops->iommu_donate_pages(0, true);
#else
	return pkvm_ops->iommu_donate_pages(0, 0);
#endif
}

static bool in_range(unsigned long iova)
{
	return iova >> PAGE_SHIFT < ENTRIES * ENTRIES;
}

static u64 *root_entry(u64 *root, unsigned long iova)
{
	return &root[(iova >> PAGE_SHIFT) / ENTRIES];
}

/* NULL where nothing was mapped yet. */
static u64 *leaf_entry(u64 *root, unsigned long iova)
{
	u64 *leaf;

	if (!in_range(iova) || !(*root_entry(root, iova) & VALID))
		return NULL;
	leaf = pkvm_ops->hyp_va(*root_entry(root, iova) & ~VALID);
	return &leaf[(iova >> PAGE_SHIFT) % ENTRIES];
}

u64 *tables_alloc(void)
{
	return take_page();
}

void tables_free(u64 *root)
{
	unsigned long i;

	for (i = 0; i < ENTRIES; i++)
		if (root[i] & VALID)
			pkvm_ops->iommu_reclaim_pages(pkvm_ops->hyp_va(root[i] & ~VALID), 0);
	pkvm_ops->iommu_reclaim_pages(root, 0);
}

int tables_map(u64 *root, unsigned long iova, phys_addr_t pa)
{
	u64 *entry = leaf_entry(root, iova);

	if (!in_range(iova))
		return -ERANGE;
	if (!entry) {
		u64 *leaf = take_page();

		if (!leaf)
			return -ENOMEM;
		*root_entry(root, iova) = pkvm_ops->hyp_pa(leaf) | VALID;
		entry = leaf_entry(root, iova);
	}
	if (*entry & VALID)
		return -EEXIST;
	*entry = pa | VALID;
	return 0;
}

phys_addr_t tables_find(u64 *root, unsigned long iova)
{
	const u64 *entry = leaf_entry(root, iova);

	return entry && *entry & VALID ? *entry & ~VALID : 0;
}

void tables_clear(u64 *root, unsigned long iova)
{
	u64 *entry = leaf_entry(root, iova);

	if (entry)
		*entry = 0;
}
#endif
