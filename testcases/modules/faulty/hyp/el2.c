// SPDX-License-Identifier: GPL-2.0-only
// A stray store at EL2: a hyp panic.
#include <asm/kvm_pkvm_module.h>

#include "../../handler.h"

#define NOWHERE 0xdead000UL

void faulty_hvc(handler_regs *regs)
{
	WRITE_ONCE(*(u64 *)NOWHERE, 1);
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
}

int faulty_hyp_init(const struct pkvm_module_ops *ops)
{
	return 0;
}
