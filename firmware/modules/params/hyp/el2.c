// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: works with what the EL1 half wrote, and refuses to start without it.
#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/version.h>

/* android14 hands a handler its CPU context, later kernels the registers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif

u64 params_limit;
u64 params_table[4];

/* x1 = the limit, x2 = entry x1 of the table; x1 = -ERANGE beyond the limit or the table. */
void params_hvc(handler_regs *regs)
{
	DECLARE_REG(u64, number, regs, 1);

	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	if (number > params_limit || number >= ARRAY_SIZE(params_table)) {
		cpu_reg(regs, 1) = (u64)-ERANGE;
		return;
	}
	cpu_reg(regs, 1) = params_limit;
	cpu_reg(regs, 2) = params_table[number];
}

int params_hyp_init(const struct pkvm_module_ops *ops)
{
	return params_limit ? 0 : -EINVAL;
}
