// SPDX-License-Identifier: GPL-2.0-only
// The mistake: the pool is what the host's list says, when it is filled and again when it is drained.
// In between the host may write another page into it.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "pool.h"

static u64 *list;
static u64 list_entries;

int pool_fill(u64 list_pfn, u64 count)
{
	u64 *shared = pkvm_ops->hyp_va(list_pfn << PAGE_SHIFT);
	int ret;

	if (list_entries || count == 0 || count > POOL_LIST_ENTRIES)
		return -EINVAL;
	ret = pkvm_ops->pin_shared_mem(shared, (u8 *)shared + PAGE_SIZE);
	if (ret)
		return ret;
	ret = blocks_check(shared, count);
	if (!ret)
		ret = blocks_take(shared, count);
	if (ret) {
		pkvm_ops->unpin_shared_mem(shared, (u8 *)shared + PAGE_SIZE);
		return ret;
	}
	list = shared;
	list_entries = count;
	return 0;
}

int pool_drain(u64 *pages)
{
	const u64 count = list_entries;
	int ret;

	if (!count)
		return 0;
	ret = blocks_give_back(list, count);
	pkvm_ops->unpin_shared_mem(list, (u8 *)list + PAGE_SIZE);
	list_entries = 0;
	*pages = count;
	return ret;
}
