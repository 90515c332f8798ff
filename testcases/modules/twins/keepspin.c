// SPDX-License-Identifier: GPL-2.0-only
// The mistake: the list is not unpinned. The host can never have its page back.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "pool.h"

int list_read(u64 list_pfn, u64 count, u64 *copy)
{
	const u64 *list = pkvm_ops->hyp_va(list_pfn << PAGE_SHIFT);
	u64 i;
	int ret;

	if (count == 0 || count > POOL_LIST_ENTRIES)
		return -EINVAL;
	ret = pkvm_ops->pin_shared_mem((void *)list, (u8 *)list + PAGE_SIZE);
	if (ret)
		return ret;
	for (i = 0; i < count; i++)
		copy[i] = READ_ONCE(list[i]);
	return 0;
}
