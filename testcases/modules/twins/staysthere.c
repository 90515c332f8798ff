// SPDX-License-Identifier: GPL-2.0-only
// The mistake: the store is made, and the host is not moved behind it. It makes it again, for ever.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "guard.h"

int emulate(handler_regs *regs, const struct store *store, u64 address)
{
	const u64 value = store->source == 31 ? 0 : cpu_reg(regs, store->source);

	if (!range_has(&kernelguard_plan.patches, address, store->bytes))
		return -EPERM;
	WRITE_ONCE(*(u64 *)pkvm_ops->fixmap_map(address), value);
	pkvm_ops->fixmap_unmap();
	return 0;
}
