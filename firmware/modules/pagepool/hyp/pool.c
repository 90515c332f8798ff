// SPDX-License-Identifier: GPL-2.0-only
// The pool: filled from one list, drained as a whole. What it consists of is noted here, not in the
// host's list, which may say something else by then.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "pool.h"

static u64 pool[POOL_LIST_ENTRIES];
static u64 pool_entries;

int pool_fill(u64 list_pfn, u64 count)
{
	int ret;

	if (pool_entries)
		return -EBUSY;

	ret = list_read(list_pfn, count, pool);
	if (!ret)
		ret = blocks_check(pool, count);
	if (!ret)
		ret = blocks_take(pool, count);
	if (!ret)
		pool_entries = count;
	return ret;
}

int pool_drain(u64 *pages)
{
	const u64 count = pool_entries;
	u64 i;

	for (i = 0; i < count; i++)
		*pages += pool_entry_pages(pool[i]);
	pool_entries = 0;
	return blocks_give_back(pool, count);
}
