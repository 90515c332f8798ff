// SPDX-License-Identifier: GPL-2.0-only
// The handler of permission faults: makes the stores that are allowed, refuses the others. And the
// notifier of the aborts that the host gets for those, and for whatever else.
#include <asm/sysreg.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "guard.h"

struct guard_counts guard_counts;

/*
 * What leaves a fault to the next handler. android14 has one handler, which has to decide; the rule
 * was turned round between android15 (the first that is not 0 ends the chain) and android16 (the
 * first 0 does).
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define NOT_MINE 0
#else
#define NOT_MINE (-EPERM)
#endif

#define HANDLED 0
#define REFUSED (-EPERM)

#define ESR_DATA_ABORT_LOWER 0x24
#define ESR_WRITE (1UL << 6)
#define SPSR_MODE 0x1f
#define SPSR_EL1H 0x05

/* Any CPU of the host may fault at any time. */
static void count(u64 *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* Only the kernel itself patches the kernel, on its own stack. */
static bool is_store_of_kernel(u64 esr)
{
	return esr >> 26 == ESR_DATA_ABORT_LOWER && (esr & ESR_WRITE) &&
	       (read_sysreg(spsr_el2) & SPSR_MODE) == SPSR_EL1H;
}

static int make_store(handler_regs *regs, u64 address)
{
	struct store store;
	u32 instruction;
	int ret;

	ret = fetch(&instruction);
	if (!ret)
		ret = decode(instruction, &store);
	if (!ret)
		ret = emulate(regs, &store, address);
	return ret;
}

int guard_fault(handler_regs *regs, u64 esr, u64 address)
{
	if (!range_has(&kernelguard_plan.kernel, address, 1))
		return NOT_MINE;
	if (is_store_of_kernel(esr) && !make_store(regs, address)) {
		count(&guard_counts.emulated);
		return HANDLED;
	}
	count(&guard_counts.refused);
	return REFUSED;
}

void guard_abort(handler_regs *regs)
{
	count(&guard_counts.aborts);
	WRITE_ONCE(guard_counts.last_elr, read_sysreg(elr_el2));
}
