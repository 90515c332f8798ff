// SPDX-License-Identifier: GPL-2.0-only
// The mistake: pages go back with what is in them.
#include <linux/kernel.h>

#include "pool.h"

int blocks_give_back(const u64 *entries, u64 count)
{
	u64 i;
	int ret = 0;

	for (i = 0; i < count && !ret; i++)
		ret = pkvm_ops->hyp_donate_host(pool_entry_pfn(entries[i]),
						pool_entry_pages(entries[i]));
	return ret;
}

int blocks_take(const u64 *entries, u64 count)
{
	u64 i;
	int ret = 0;

	for (i = 0; i < count && !ret; i++) {
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
		ret = pkvm_ops->host_donate_hyp(pool_entry_pfn(entries[i]),
						pool_entry_pages(entries[i]));
#else
		ret = pkvm_ops->host_donate_hyp(pool_entry_pfn(entries[i]),
						pool_entry_pages(entries[i]), false);
#endif
	}
	if (ret)
		blocks_give_back(entries, i - 1);
	return ret;
}
