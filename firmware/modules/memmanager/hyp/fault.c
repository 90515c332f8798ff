// SPDX-License-Identifier: GPL-2.0-only
// The handler of permission faults: tells of the host's stores to what it may only read. An access to
// a secure row is a translation fault, which nobody is asked about.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "manager.h"

struct manager_faults manager_faults;

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

#define REFUSED (-EPERM)

int manager_fault(handler_regs *regs, u64 esr, u64 address)
{
	if (!rows_have(address))
		return NOT_MINE;
	__atomic_fetch_add(&manager_faults.count, 1, __ATOMIC_RELAXED);
	WRITE_ONCE(manager_faults.address, address);
	pkvm_ops->puts("memmanager: the host stores to");
	pkvm_ops->putx64(address);
	return REFUSED;
}
