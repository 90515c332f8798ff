// SPDX-License-Identifier: GPL-2.0-only
// An EL2 half with something in each ordinary section; its init answers what EL1 told it to.
#include <asm/kvm_pkvm_module.h>
#include <linux/kernel.h>

#include "../../handler.h"

int steps_init_answer = 0x0;
/* Whether init registers a notifier before it answers. */
int steps_registers = 0x0;
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

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
static void hear_psci(enum pkvm_psci_notification what, struct kvm_cpu_context *context)
#else
static void hear_psci(enum pkvm_psci_notification what, struct user_pt_regs *regs)
#endif
{
}

int steps_hyp_init(const struct pkvm_module_ops *ops)
{
	if (steps_registers && ops->register_psci_notifier(hear_psci))
		return 1;
	return steps_init_answer;
}
