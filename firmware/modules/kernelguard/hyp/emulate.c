// SPDX-License-Identifier: GPL-2.0-only
// Makes a store in the host's place, through a window at EL2, and moves the host behind it.
#include <asm/barrier.h>
#include <asm/sysreg.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "guard.h"

#define SP_OR_ZERO 31
#define INSTRUCTION_BYTES 4

static u64 value_of(handler_regs *regs, const struct store *store)
{
	return store->source == SP_OR_ZERO ? 0 : cpu_reg(regs, store->source);
}

static void step_base(handler_regs *regs, const struct store *store)
{
	if (store->base != SP_OR_ZERO)
		cpu_reg(regs, store->base) += store->step;
	else if (store->step)
		write_sysreg(read_sysreg(sp_el1) + store->step, sp_el1);
}

int emulate(handler_regs *regs, const struct store *store, u64 address)
{
	const u64 value = value_of(regs, store);
	void *window;

	if (address % store->bytes ||
	    !range_has(&kernelguard_plan.patches, address, store->bytes))
		return -EPERM;

	window = pkvm_ops->fixmap_map(address);
	if (store->release)
		smp_mb();
	if (store->bytes == sizeof(u32))
		WRITE_ONCE(*(u32 *)window, (u32)value);
	else
		WRITE_ONCE(*(u64 *)window, value);
	pkvm_ops->fixmap_unmap();

	step_base(regs, store);
	write_sysreg(read_sysreg(elr_el2) + INSTRUCTION_BYTES, elr_el2);
	return 0;
}
