// SPDX-License-Identifier: GPL-2.0-only
// The mistake: only where a store begins is looked at. Its end is behind what may be patched.
#include <asm/sysreg.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "guard.h"

int emulate(handler_regs *regs, const struct store *store, u64 address)
{
	const u64 value = store->source == 31 ? 0 : cpu_reg(regs, store->source);
	void *window;

	if (!range_has(&kernelguard_plan.patches, address, 1))
		return -EPERM;
	window = pkvm_ops->fixmap_map(address);
	if (store->bytes == sizeof(u32))
		WRITE_ONCE(*(u32 *)window, (u32)value);
	else
		WRITE_ONCE(*(u64 *)window, value);
	pkvm_ops->fixmap_unmap();
	write_sysreg(read_sysreg(elr_el2) + 4, elr_el2);
	return 0;
}
