// SPDX-License-Identifier: GPL-2.0-only
// An EL2 half with something in each ordinary section; its init answers what EL1 told it to.
#include <asm/kvm_pkvm_module.h>
#include <linux/kernel.h>

#include "../../handler.h"

int steps_init_answer = 0x0;
u64 steps_in_bss[4];
static const volatile u64 in_rodata = 7;
/* Makes .hyp.data one that is not empty. */
static u64 in_data = 35;
u64 *volatile steps_pointer = &in_data;

void steps_hvc(handler_regs *regs)
{
	BUG_ON(cpu_reg(regs, 1) == 0xb6);
	steps_in_bss[0]++;
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = in_rodata + *steps_pointer;
}

int steps_hyp_init(const struct pkvm_module_ops *ops)
{
	return steps_init_answer;
}
