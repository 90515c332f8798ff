// SPDX-License-Identifier: GPL-2.0-only
// The mistake: "handled" is said of a store that nothing was done about. It is repeated for ever.
#include <linux/kernel.h>

#include "guard.h"

struct guard_faults guard_faults;

int guard_fault(handler_regs *regs, u64 esr, u64 address)
{
	guard_faults.count++;
	return 0;
}
