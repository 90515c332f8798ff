// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: init, and a hypercall that tells what came by.
#include <linux/kernel.h>

#include "share.h"

const struct pkvm_module_ops *pkvm_ops;

/* x1 = calls with a list, x2 = refused ones, x3 = lists that did not go back, x4 = the last word. */
void smcshare_counts_hvc(handler_regs *regs)
{
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = READ_ONCE(share_counts.lent);
	cpu_reg(regs, 2) = READ_ONCE(share_counts.refused);
	cpu_reg(regs, 3) = READ_ONCE(share_counts.stuck);
	cpu_reg(regs, 4) = READ_ONCE(share_counts.last_word);
}

int smcshare_hyp_init(const struct pkvm_module_ops *ops)
{
	pkvm_ops = ops;
	return ops->register_host_smc_handler(share_smc);
}
