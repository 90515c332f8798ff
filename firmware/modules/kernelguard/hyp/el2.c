// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: init, and the one hypercall.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "guard.h"

const struct pkvm_module_ops *pkvm_ops;

struct guard_plan kernelguard_plan;

/* x1 = stores made for the host, x2 = refused ones, x3 = aborts of the host, x4 = where the last was. */
void kernelguard_counts_hvc(handler_regs *regs)
{
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = READ_ONCE(guard_counts.emulated);
	cpu_reg(regs, 2) = READ_ONCE(guard_counts.refused);
	cpu_reg(regs, 3) = READ_ONCE(guard_counts.aborts);
	cpu_reg(regs, 4) = READ_ONCE(guard_counts.last_elr);
}

static int plan_check(const struct guard_plan *plan)
{
	const struct guard_range *kernel = &plan->kernel;

	if (!kernel->size || (kernel->base | kernel->size) & (PAGE_SIZE - 1))
		return -EINVAL;
	if (!range_has(&plan->memory, kernel->base, kernel->size))
		return -ERANGE;
	if (plan->patches.size && !range_has(kernel, plan->patches.base, plan->patches.size))
		return -ERANGE;
	return 0;
}

/*
 * Nothing takes a callback back: the one that matters comes after all that may fail, and the one that
 * only counts after it. Another module may have the notifier.
 */
int kernelguard_hyp_init(const struct pkvm_module_ops *ops)
{
	int ret;

	pkvm_ops = ops;
	ret = plan_check(&kernelguard_plan);
	if (ret)
		return ret;
	ret = kernel_protect();
	if (ret)
		return ret;
	ret = ops->register_host_perm_fault_handler(guard_fault);
	if (ret) {
		kernel_release();
		return ret;
	}
	if (ops->register_illegal_abt_notifier(guard_abort))
		ops->puts("kernelguard: aborts are not counted");
	return 0;
}
