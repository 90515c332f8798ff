// SPDX-License-Identifier: GPL-2.0-only
// The mistake: nobody looks whether the table has room. What lies behind it is how many entries it
// has.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "directory.h"

static struct {
	struct {
		u64 key;
		u64 hypercall;
	} table[DIRECTORY_ENTRIES];
	u64 used;
} directory;

int table_add(u64 key, u64 hypercall)
{
	const u64 place = directory.used;

	directory.used = place + 1;
	directory.table[place].key = key;
	directory.table[place].hypercall = hypercall;
	return 0;
}

int table_find(u64 key)
{
	u64 i;

	for (i = 0; i < DIRECTORY_ENTRIES; i++)
		if (directory.table[i].key == key && key)
			return (int)directory.table[i].hypercall;
	return -ENOENT;
}
