// SPDX-License-Identifier: GPL-2.0-only
// The mistake: a call was added at the end of the list, which is searched as if it were in order,
// and nobody looks whether it is. The search no longer finds what it passes by.
#include <linux/kernel.h>

#include "filter.h"

static const u32 allowed[] = {
	0x80000000, 0x80000001, 0x82000500, 0x82000501, 0xc2000500, 0x80008000,
};

int allow_check(void)
{
	return 0;
}

bool allow_has(u64 id)
{
	size_t low = 0;
	size_t high = ARRAY_SIZE(allowed);

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (allowed[middle] == (u32)id)
			return true;
		if (allowed[middle] < (u32)id)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
