// SPDX-License-Identifier: GPL-2.0-only
// The mistake: rows are taken as they are. A page in two of them is opened with the first one that is
// given back.
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
	pkvm_ops->hyp_donate_host(memmanager_table.address >> PAGE_SHIFT,
				  manager_table_pages(memmanager_table.rows));
}

struct manager_row *table_row(u64 index)
{
	return (struct manager_row *)pkvm_ops->hyp_va(memmanager_table.address) + index;
}

int rows_check(void)
{
	return 0;
}
