// SPDX-License-Identifier: GPL-2.0-only
// The mistake: the table is read where the host left it. EL2 has no mapping of what is the host's.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "manager.h"

int table_take(void)
{
	return memmanager_table.rows && memmanager_table.rows <= MANAGER_ROWS ? 0 : -EINVAL;
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
		if (table_row(i)->owner >= OWNERS)
			return -EINVAL;
	return 0;
}
