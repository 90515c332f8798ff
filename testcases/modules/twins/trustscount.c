// SPDX-License-Identifier: GPL-2.0-only
// The mistake: the host's count is believed. Reading goes on behind the page that was pinned.
#include <linux/kernel.h>

#include "pool.h"

int list_read(u64 list_pfn, u64 count, u64 *copy)
{
	const u64 *list = pkvm_ops->hyp_va(list_pfn << PAGE_SHIFT);
	void *end = (u8 *)list + PAGE_SIZE;
	u64 i;
	int ret;

	ret = pkvm_ops->pin_shared_mem((void *)list, end);
	if (ret)
		return ret;
	for (i = 0; i < count; i++)
		copy[i % POOL_LIST_ENTRIES] = READ_ONCE(list[i]);
	pkvm_ops->unpin_shared_mem((void *)list, end);
	return 0;
}
