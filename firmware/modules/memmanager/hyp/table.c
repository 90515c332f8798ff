// SPDX-License-Identifier: GPL-2.0-only
// The table. It is the hypervisor's before anybody reads it: what was checked stays as it was.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "manager.h"

static bool in_memory(u64 base, u64 size)
{
	const struct manager_table *told = &memmanager_table;

	return size <= told->memory_size && base >= told->memory_base &&
	       base - told->memory_base <= told->memory_size - size;
}

static int donate(u64 pfn, u64 pages)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return pkvm_ops->host_donate_hyp(pfn, pages);
#else
	return pkvm_ops->host_donate_hyp(pfn, pages, false);
#endif
}

int table_take(void)
{
	const struct manager_table *told = &memmanager_table;
	const u64 pages = manager_table_pages(told->rows);

	if (!told->rows || told->rows > MANAGER_ROWS || told->address & ~PAGE_MASK)
		return -EINVAL;
	/* android14 would give a device away as well. */
	if (!in_memory(told->address, pages << PAGE_SHIFT))
		return -ERANGE;
	return donate(told->address >> PAGE_SHIFT, pages);
}

void table_return(void)
{
	const struct manager_table *told = &memmanager_table;

	if (pkvm_ops->hyp_donate_host(told->address >> PAGE_SHIFT, manager_table_pages(told->rows)))
		pkvm_ops->puts("memmanager: the table did not go back");
}

struct manager_row *table_row(u64 index)
{
	return (struct manager_row *)pkvm_ops->hyp_va(memmanager_table.address) + index;
}

static bool overlap(const struct manager_row *one, const struct manager_row *other)
{
	return one->base < other->base + other->size && other->base < one->base + one->size;
}

static int row_check(const struct manager_row *row)
{
	if (!row->size || (row->base | row->size) & ~PAGE_MASK || row->owner >= OWNERS)
		return -EINVAL;
	return in_memory(row->base, row->size) ? 0 : -ERANGE;
}

int rows_check(void)
{
	u64 i, k;
	int ret;

	for (i = 0; i < memmanager_table.rows; i++) {
		ret = row_check(table_row(i));
		if (ret)
			return ret;
		for (k = 0; k < i; k++)
			if (overlap(table_row(i), table_row(k)))
				return -EEXIST;
	}
	return 0;
}
