// SPDX-License-Identifier: GPL-2.0-only
// Pages change hands. A block that the host does not own alone (shared, another module's, the
// hypervisor's) is refused by the hypervisor, and then nothing has been taken.
#include <linux/kernel.h>

#include "pool.h"

int blocks_give_back(const u64 *entries, u64 count)
{
	int first_error = 0;
	u64 i;

	for (i = 0; i < count; i++) {
		const u64 pfn = pool_entry_pfn(entries[i]);
		const u64 pages = pool_entry_pages(entries[i]);
		void *block = pkvm_ops->hyp_va(pfn << PAGE_SHIFT);
		int ret;

		/* The host must not read what was kept in it, not even past its caches. */
		pkvm_ops->memset(block, 0, pages << PAGE_SHIFT);
		pkvm_ops->flush_dcache_to_poc(block, pages << PAGE_SHIFT);
		ret = pkvm_ops->hyp_donate_host(pfn, pages);
		if (ret && !first_error)
			first_error = ret;
	}
	return first_error;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
static struct pkvm_sglist_page blocks[POOL_LIST_ENTRIES];

/* One call that looks at all of them first, and undoes its work when table pages run out. */
int blocks_take(const u64 *entries, u64 count)
{
	u64 i;

	for (i = 0; i < count; i++) {
		blocks[i].pfn = pool_entry_pfn(entries[i]);
		blocks[i].order = (u8)pool_entry_order(entries[i]);
	}
	return pkvm_ops->host_donate_sglist_hyp(blocks, count);
}
#else
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
	int ret;

	for (i = 0; i < count; i++) {
		ret = take(pool_entry_pfn(entries[i]), pool_entry_pages(entries[i]));
		if (ret) {
			blocks_give_back(entries, i);
			return ret;
		}
	}
	return 0;
}
#endif
