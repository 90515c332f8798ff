// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: what is to be found through the directory.
#include <asm/kvm_pkvm_module.h>
#include <linux/kernel.h>

#include "../../smcdirectory/smcdirectory.h"

/* x1 = x1 + x2 */
void dirclient_hvc(handler_regs *regs)
{
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) += cpu_reg(regs, 2);
}

int dirclient_hyp_init(const struct pkvm_module_ops *ops)
{
	return 0;
}
