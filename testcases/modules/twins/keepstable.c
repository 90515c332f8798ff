// SPDX-License-Identifier: GPL-2.0-only
// The mistake: a table that is no good is not given back. The host frees pages that it has lost, and
// whoever gets them next dies of it.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "manager.h"

int table_take(void)
{
	const u64 pfn = memmanager_table.address >> PAGE_SHIFT;
	const u64 pages = manager_table_pages(memmanager_table.rows);

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return pkvm_ops->host_donate_hyp(pfn, pages);
#else
	return pkvm_ops->host_donate_hyp(pfn, pages, false);
#endif
}

void table_return(void)
{
}

struct manager_row *table_row(u64 index)
{
	return (struct manager_row *)pkvm_ops->hyp_va(memmanager_table.address) + index;
}

int rows_check(void)
{
	u64 i;

	for (i = 0; i < memmanager_table.rows; i++)
		if (!table_row(i)->size || table_row(i)->owner >= OWNERS)
			return -EINVAL;
	return 0;
}
