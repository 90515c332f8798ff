// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: a handler of the host's SMCs, which are all that others see of it.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "directory.h"

static void answer(handler_regs *regs, int code, u64 value)
{
	cpu_reg(regs, 0) = (u64)code;
	cpu_reg(regs, 1) = value;
	cpu_reg(regs, 2) = 0;
	cpu_reg(regs, 3) = 0;
}

/* false: the hypervisor asks the next handler, and EL3 in the end. */
static bool directory_smc(handler_regs *regs)
{
	/* EL3 looks at the low 32 bits, and so do we. */
	const u32 id = (u32)cpu_reg(regs, 0);
	int hypercall;

	if (id == DIRECTORY_REGISTER) {
		answer(regs, table_add(cpu_reg(regs, 1), cpu_reg(regs, 2)), 0);
		return true;
	}
	hypercall = table_find(id);
	if (hypercall < 0)
		return false;
	answer(regs, 0, (u64)hypercall);
	return true;
}

int smcdirectory_hyp_init(const struct pkvm_module_ops *ops)
{
	return ops->register_host_smc_handler(directory_smc);
}
