// SPDX-License-Identifier: GPL-2.0-only
// Checks of a list before anything is taken. Who owns a page is the hypervisor's to say; that an
// entry is well formed, memory and not a device, and on the list once, is ours: android14 takes
// devices, too, and android16 donates a page twice that is on a list twice.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "pool.h"

static bool well_formed(u64 entry)
{
	return !(entry >> POOL_USED_BITS) && pool_entry_order(entry) <= POOL_MAX_ORDER &&
	       !(pool_entry_pfn(entry) & (pool_entry_pages(entry) - 1));
}

static bool in_bounds(u64 entry)
{
	const u64 first = pool_entry_pfn(entry);

	return first >= pagepool_first_pfn && first + pool_entry_pages(entry) <= pagepool_end_pfn;
}

/* Blocks are aligned to their size: they overlap only when the larger one contains the other. */
static bool overlap(u64 one, u64 other)
{
	const u64 order = max(pool_entry_order(one), pool_entry_order(other));

	return pool_entry_pfn(one) >> order == pool_entry_pfn(other) >> order;
}

int blocks_check(const u64 *entries, u64 count)
{
	u64 i, k;

	for (i = 0; i < count; i++) {
		if (!well_formed(entries[i]))
			return -EINVAL;
		if (!in_bounds(entries[i]))
			return -ERANGE;
		for (k = 0; k < i; k++)
			if (overlap(entries[i], entries[k]))
				return -EEXIST;
	}
	return 0;
}
