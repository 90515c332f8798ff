// SPDX-License-Identifier: GPL-2.0-only
// The handler whose answers were measured on a real hypervisor: it uses four arguments and answers
// in four registers.
#include <asm/kvm_pkvm_module.h>

#include "../../handler.h"

void calls_hvc(handler_regs *regs)
{
	cpu_reg(regs, 1) += cpu_reg(regs, 2) + cpu_reg(regs, 3);
	cpu_reg(regs, 2) = cpu_reg(regs, 4);
	cpu_reg(regs, 3) = 0xabc;
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
}

int calls_hyp_init(const struct pkvm_module_ops *ops)
{
	return 0;
}
