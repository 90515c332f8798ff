// SPDX-License-Identifier: GPL-2.0-only
// The mistake: what the hypervisor accepts is taken to be right.
#include <linux/kernel.h>

#include "pool.h"

int blocks_check(const u64 *entries, u64 count)
{
	return 0;
}
