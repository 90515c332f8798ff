// SPDX-License-Identifier: GPL-2.0-only
// The mistake: the syndrome is asked for the register, and not whether it says one. It does not for
// stores that change their base, nor for pairs (Arm ARM: ISV), and then it says x0 and a byte.
#include <asm/sysreg.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "guard.h"

struct guard_counts guard_counts;

#define ESR_REGISTER(esr) ((esr) >> 16 & 31)

int guard_fault(handler_regs *regs, u64 esr, u64 address)
{
	const struct store store = { .bytes = 8, .source = ESR_REGISTER(esr) };

	if (emulate(regs, &store, address))
		return -EPERM;
	guard_counts.emulated++;
	return 0;
}

void guard_abort(handler_regs *regs)
{
	guard_counts.aborts++;
}
