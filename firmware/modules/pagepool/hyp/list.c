// SPDX-License-Identifier: GPL-2.0-only
// The list lies in memory that the host can write at any moment. It is pinned, so that the host
// cannot take it back under us, and read once: what was checked is what is used.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "pool.h"

int list_read(u64 list_pfn, u64 count, u64 *copy)
{
	const u64 *list = pkvm_ops->hyp_va(list_pfn << PAGE_SHIFT);
	void *end = (u8 *)list + PAGE_SIZE;
	u64 i;
	int ret;

	if (count == 0 || count > POOL_LIST_ENTRIES)
		return -EINVAL;

	ret = pkvm_ops->pin_shared_mem((void *)list, end);
	if (ret)
		return ret;

	for (i = 0; i < count; i++)
		copy[i] = READ_ONCE(list[i]);

	pkvm_ops->unpin_shared_mem((void *)list, end);
	return 0;
}
