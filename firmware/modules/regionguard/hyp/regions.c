// SPDX-License-Identifier: GPL-2.0-only
// The table of guarded regions. No two overlap: a page that the hypervisor finds restricted may be
// restricted again, and whoever released one of two regions would open part of the other.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "guard.h"

/* Unused entries have size 0. */
static struct guard_region regions[GUARD_REGIONS];

static bool inside(const struct guard_region *region, u64 address)
{
	return address >= region->base && address - region->base < region->size;
}

static bool overlap(const struct guard_region *one, const struct guard_region *other)
{
	return one->size && other->size &&
	       (inside(one, other->base) || inside(other, one->base));
}

static int check(const struct guard_region *region)
{
	const u64 end = region->base + region->size;

	if (!region->size || (region->base | region->size) & (PAGE_SIZE - 1))
		return -EINVAL;
	if (region->access > GUARD_READ_ONLY)
		return -EINVAL;
	/* The hypervisor lets a module restrict devices, too, which this one is not for. */
	if (end < region->base || !inside(&regionguard_memory, region->base) ||
	    !inside(&regionguard_memory, end - 1))
		return -ERANGE;
	return 0;
}

int regions_add(const struct guard_region *region)
{
	struct guard_region *place = NULL;
	unsigned int i;
	int ret = check(region);

	if (ret)
		return ret;
	for (i = 0; i < GUARD_REGIONS; i++) {
		if (overlap(&regions[i], region))
			return -EEXIST;
		if (!regions[i].size)
			place = &regions[i];
	}
	if (!place)
		return -ENOSPC;

	ret = access_restrict(region);
	if (!ret)
		*place = *region;
	return ret;
}

int regions_remove(u64 base)
{
	unsigned int i;
	int ret;

	for (i = 0; i < GUARD_REGIONS; i++) {
		if (!regions[i].size || regions[i].base != base)
			continue;
		ret = access_restore(&regions[i]);
		if (!ret)
			regions[i].size = 0;
		return ret;
	}
	return -ENOENT;
}

void regions_remove_all(void)
{
	unsigned int i;

	for (i = 0; i < GUARD_REGIONS; i++)
		if (regions[i].size)
			regions_remove(regions[i].base);
}

/* All or none. */
int regions_add_all(const struct guard_region *first, u64 count)
{
	u64 i;
	int ret;

	for (i = 0; i < count; i++) {
		ret = regions_add(&first[i]);
		if (ret) {
			regions_remove_all();
			return ret;
		}
	}
	return 0;
}

bool regions_contain(u64 address)
{
	unsigned int i;

	for (i = 0; i < GUARD_REGIONS; i++)
		if (inside(&regions[i], address))
			return true;
	return false;
}
