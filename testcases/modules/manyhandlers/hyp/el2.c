// SPDX-License-Identifier: GPL-2.0-only
// One handler, registered many times: the table takes 128 over all modules.
#include <asm/kvm_pkvm_module.h>

#include "../../handler.h"

void manyhandlers_hvc(handler_regs *regs)
{
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1)++;
}

int manyhandlers_hyp_init(const struct pkvm_module_ops *ops)
{
	return 0;
}
