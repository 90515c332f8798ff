// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: every hypercall is a call into el2lib's.
#include "../../el2lib/el2lib.h"

#include <asm/kvm_pkvm_module.h>

/* Adds x2 to the sum of owner x1: x1 = that sum, x2 = the total of all. */
void el2user_hvc(struct user_pt_regs *regs)
{
	DECLARE_REG(u64, owner, regs, 1);
	DECLARE_REG(s64, amount, regs, 2);

	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = el2lib_add(owner, amount);
	cpu_reg(regs, 2) = el2lib_total();
}

/* Its own share begins at 1: other EL2 halves can be called as soon as they are loaded. */
int el2user_hyp_init(const struct pkvm_module_ops *ops)
{
	return el2lib_add(0, 1) < 0;
}
