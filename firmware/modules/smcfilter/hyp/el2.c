// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: init, and the one hypercall.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "filter.h"

const struct pkvm_module_ops *pkvm_ops;

/* EL1 writes them before the load; when it does not, nothing passes. */
bool smcfilter_permissive;
bool smcfilter_counting;

/* x1 = calls on the list, x2 = calls that are not, x3 = the last of those. */
void smcfilter_counts_hvc(handler_regs *regs)
{
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = READ_ONCE(filter_counts.allowed);
	cpu_reg(regs, 2) = READ_ONCE(filter_counts.filtered);
	cpu_reg(regs, 3) = READ_ONCE(filter_counts.last);
}

/* Nothing takes a handler back: what may fail comes before it, what may not be had after it. */
int smcfilter_hyp_init(const struct pkvm_module_ops *ops)
{
	int ret;

	pkvm_ops = ops;
	ret = allow_check();
	if (ret)
		return ret;
	ret = ops->register_host_smc_handler(filter_smc);
	if (ret)
		return ret;
	report_start();
	return 0;
}
