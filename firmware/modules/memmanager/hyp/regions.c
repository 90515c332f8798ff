// SPDX-License-Identifier: GPL-2.0-only
// What becomes of the rows. A row's owner is what the host's tables say, from rows_protect() on.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "manager.h"

static int protect(struct manager_row *row)
{
	const u64 owner = row->owner;
	int ret;

	row->owner = OWNER_HOST;
	if (owner == OWNER_HOST)
		return 0;
	ret = access_set(row, owner);
	row->owner = ret ? OWNER_HOST : owner;
	return ret;
}

static void release(struct manager_row *row)
{
	if (row->owner != OWNER_HOST && access_set(row, OWNER_HOST))
		pkvm_ops->puts("memmanager: a region did not go back");
}

int rows_protect(void)
{
	u64 i;
	int ret;

	for (i = 0; i < memmanager_table.rows; i++) {
		ret = protect(table_row(i));
		if (ret) {
			while (i--)
				release(table_row(i));
			return ret;
		}
	}
	return 0;
}

void rows_release(void)
{
	u64 i;

	for (i = 0; i < memmanager_table.rows; i++)
		release(table_row(i));
}

int row_assign(u64 index, u64 owner)
{
	struct manager_row *row;
	int ret;

	if (index >= memmanager_table.rows)
		return -ENOENT;
	if (owner >= OWNERS)
		return -EINVAL;
	row = table_row(index);
	if (row->owner == owner)
		return 0;
	/* The host must not see what the secure world left there. */
	if (row->owner == OWNER_SECURE)
		content_clear(row);
	ret = access_set(row, owner);
	if (!ret)
		row->owner = owner;
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
