// SPDX-License-Identifier: GPL-2.0-only
// The handler of permission faults. It is called for stores to read-only regions only: an access to a
// region that the host may not even read is a translation fault, which is nobody's to decide.
#include <asm/sysreg.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "guard.h"
#include "lock.h"

struct guard_faults guard_faults;

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

static bool is_store(u64 esr)
{
	return esr >> 26 == ESR_DATA_ABORT_LOWER && (esr & ESR_WRITE);
}

/* Whether it is about one of our regions. */
static bool note(u64 esr, u64 address)
{
	bool ours;

	guard_lock(&guard_busy);
	ours = regions_contain(address);
	if (ours) {
		guard_faults.count++;
		guard_faults.address = address;
		guard_faults.esr = esr;
	}
	guard_unlock(&guard_busy);
	return ours;
}

int guard_fault(handler_regs *regs, u64 esr, u64 address)
{
	if (!note(esr, address))
		return NOT_MINE;
	if (!regionguard_skip || !is_store(esr))
		return REFUSED;

	/* The store never happened. */
	write_sysreg(read_sysreg(elr_el2) + 4, elr_el2);
	return HANDLED;
}
