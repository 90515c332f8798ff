// SPDX-License-Identifier: GPL-2.0-only
// The mistake: a list of what is forbidden, compared with all 64 bits of x0. EL3 looks at 32 of them.
#include <linux/kernel.h>

#include "filter.h"

static const u64 forbidden[] = { 0xc2000001, 0xc2000002 };

int allow_check(void)
{
	return 0;
}

bool allow_has(u64 id)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forbidden); i++)
		if (forbidden[i] == id)
			return false;
	return true;
}
