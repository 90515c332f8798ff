// SPDX-License-Identifier: GPL-2.0-only
// The mistake: what was secure goes back to the host with what is in it.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "manager.h"

int rows_protect(void)
{
	u64 i;
	int ret = 0;

	for (i = 0; i < memmanager_table.rows && !ret; i++)
		ret = access_set(table_row(i), table_row(i)->owner);
	return ret;
}

void rows_release(void)
{
	u64 i;

	for (i = 0; i < memmanager_table.rows; i++)
		access_set(table_row(i), OWNER_HOST);
}

int row_assign(u64 index, u64 owner)
{
	int ret;

	if (index >= memmanager_table.rows || owner >= OWNERS)
		return -EINVAL;
	ret = access_set(table_row(index), owner);
	if (!ret)
		table_row(index)->owner = owner;
	return ret;
}

bool rows_have(u64 address)
{
	u64 i;

	for (i = 0; i < memmanager_table.rows; i++)
		if (address - table_row(i)->base < table_row(i)->size)
			return true;
	return false;
}
