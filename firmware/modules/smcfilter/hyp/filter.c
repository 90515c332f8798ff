// SPDX-License-Identifier: GPL-2.0-only
// The handler of the host's SMCs. false: the hypervisor forwards the call to EL3 as it is.
#include <linux/kernel.h>

#include "filter.h"

struct filter_counts filter_counts;

/* Any CPU of the host may call at any time. */
static void count(u64 *counter)
{
	if (smcfilter_counting)
		__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

bool filter_smc(handler_regs *regs)
{
	const u64 id = cpu_reg(regs, 0);

	if (allow_has(id)) {
		count(&filter_counts.allowed);
		return false;
	}
	count(&filter_counts.filtered);
	WRITE_ONCE(filter_counts.last, id);
	report_filtered(id);
	if (smcfilter_permissive)
		return false;

	cpu_reg(regs, 0) = (u64)SMCCC_RET_NOT_SUPPORTED;
	cpu_reg(regs, 1) = 0;
	cpu_reg(regs, 2) = 0;
	cpu_reg(regs, 3) = 0;
	return true;
}
