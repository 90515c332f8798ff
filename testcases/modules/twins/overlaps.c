// SPDX-License-Identifier: GPL-2.0-only
// The mistake: a page may be in two regions. Whoever releases one of them opens the other.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "guard.h"

static struct guard_region regions[GUARD_REGIONS];

int regions_add(const struct guard_region *region)
{
	unsigned int i;
	int ret;

	for (i = 0; i < GUARD_REGIONS; i++) {
		if (regions[i].size)
			continue;
		ret = access_restrict(region);
		if (!ret)
			regions[i] = *region;
		return ret;
	}
	return -ENOSPC;
}

int regions_remove(u64 base)
{
	unsigned int i;

	for (i = 0; i < GUARD_REGIONS; i++) {
		if (!regions[i].size || regions[i].base != base)
			continue;
		access_restore(&regions[i]);
		regions[i].size = 0;
		return 0;
	}
	return -ENOENT;
}

int regions_add_all(const struct guard_region *first, u64 count)
{
	u64 i;
	int ret = 0;

	for (i = 0; i < count && !ret; i++)
		ret = regions_add(&first[i]);
	return ret;
}

void regions_remove_all(void)
{
}

bool regions_contain(u64 address)
{
	unsigned int i;

	for (i = 0; i < GUARD_REGIONS; i++)
		if (address - regions[i].base < regions[i].size)
			return true;
	return false;
}
