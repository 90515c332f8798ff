// SPDX-License-Identifier: GPL-2.0-only
// Variables of every size for whoever loads this half alone, and handlers that tell what they hold.
#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>

#include "../../handler.h"

unsigned int limit;
u8 flavour = 1;
u16 count;
u64 blob;
u8 table[6] = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5};

static const struct pkvm_module_ops *ops;

int hw_init(const struct pkvm_module_ops *given)
{
	if (!limit)
		return -EINVAL;
	ops = given;
	return 0;
}

/* x1 to x5: what the variables hold; the table as bytes, the first one lowest. */
void hw_get(handler_regs *regs)
{
	u64 all = 0;
	int i;

	for (i = 5; i >= 0; --i)
		all = all << 8 | ((volatile u8 *)table)[i];
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = limit;
	cpu_reg(regs, 2) = flavour;
	cpu_reg(regs, 3) = count;
	cpu_reg(regs, 4) = blob;
	cpu_reg(regs, 5) = all;
}

/* The first word of the memory at `blob`, which the host loses by it. */
void hw_take(handler_regs *regs)
{
	int ret;

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	ret = ops->host_donate_hyp(blob >> PAGE_SHIFT, 1);
#else
	ret = ops->host_donate_hyp(blob >> PAGE_SHIFT, 1, false);
#endif
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = ret;
	cpu_reg(regs, 2) = ret ? 0 : *(u64 *)ops->hyp_va(blob);
}
