// SPDX-License-Identifier: GPL-2.0-only
// el2user's EL2 half with one mistake: it calls el2lib's by a pointer.
#include <el2lib.h>

#include <asm/kvm_pkvm_module.h>

void el2user_hvc(struct user_pt_regs *regs)
{
	DECLARE_REG(u64, owner, regs, 1);
	DECLARE_REG(s64, amount, regs, 2);
	s64 (*volatile add)(u64 owner, s64 amount) = el2lib_add;

	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = add(owner, amount);
}

int el2user_hyp_init(const struct pkvm_module_ops *ops)
{
	return 0;
}
