// SPDX-License-Identifier: GPL-2.0-only
// The hypervisor half for android16: the handler gets the registers, and says itself that it went well.
#include <asm/kvm_pkvm_module.h>

int pkvm_driver_hyp_init(const struct pkvm_module_ops *ops)
{
	ops->puts("driver: here");
	return 0;
}

void pkvm_driver_hyp_hvc(struct user_pt_regs *regs)
{
	regs->regs[0] = SMCCC_RET_SUCCESS;
	regs->regs[1] = regs->regs[1] + regs->regs[2];
}
