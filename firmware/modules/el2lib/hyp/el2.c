// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: sums that other modules' EL2 halves keep here.
#include "../el2lib.h"

#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>
#include <linux/kernel.h>

static s64 sums[8];

s64 el2lib_add(u64 owner, s64 amount)
{
	if (owner >= ARRAY_SIZE(sums))
		return -EINVAL;
	sums[owner] += amount;
	return sums[owner];
}

s64 el2lib_total(void)
{
	s64 total = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sums); i++)
		total += sums[i];
	return total;
}

int el2lib_hyp_init(const struct pkvm_module_ops *ops)
{
	return 0;
}
