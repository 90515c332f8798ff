// SPDX-License-Identifier: GPL-2.0-only
// The mistake: after a refused block the ones before it stay taken, and nobody knows of them.
#include <linux/kernel.h>

#include "pool.h"

static int take(u64 pfn, u64 pages)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return pkvm_ops->host_donate_hyp(pfn, pages);
#else
	return pkvm_ops->host_donate_hyp(pfn, pages, false);
#endif
}

int blocks_take(const u64 *entries, u64 count)
{
	u64 i;
	int ret = 0;

	for (i = 0; i < count && !ret; i++)
		ret = take(pool_entry_pfn(entries[i]), pool_entry_pages(entries[i]));
	return ret;
}

int blocks_give_back(const u64 *entries, u64 count)
{
	u64 i;
	int ret = 0;

	for (i = 0; i < count && !ret; i++) {
		const u64 pfn = pool_entry_pfn(entries[i]);
		const u64 pages = pool_entry_pages(entries[i]);

		pkvm_ops->memset(pkvm_ops->hyp_va(pfn << PAGE_SHIFT), 0, pages << PAGE_SHIFT);
		ret = pkvm_ops->hyp_donate_host(pfn, pages);
	}
	return ret;
}
