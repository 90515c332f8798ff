// SPDX-License-Identifier: GPL-2.0-only
// Reads the host's code where it stopped: the host's own translation of its PC, then a window at EL2.
#include <asm/barrier.h>
#include <asm/sysreg.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "guard.h"

#define PAR_FAILED 1UL
#define PAR_ADDRESS 0x0000fffffffff000UL

/* PAR_EL1 is the host's: it may be between an AT of its own and reading the result. */
static int translate(u64 va, u64 *pa)
{
	const u64 hosts = read_sysreg(par_el1);
	u64 par;

	__asm__ volatile("at s1e1r, %0" : : "r"(va) : "memory");
	isb();
	par = read_sysreg(par_el1);
	write_sysreg(hosts, par_el1);
	if (par & PAR_FAILED)
		return -EFAULT;
	*pa = (par & PAR_ADDRESS) | (va & ~PAGE_MASK);
	return 0;
}

int fetch(u32 *instruction)
{
	u64 pa;
	int ret = translate(read_sysreg(elr_el2), &pa);

	if (ret)
		return ret;
	/* The window has no opinion of what it shows: not devices, and nothing behind RAM. */
	if (pa % sizeof(u32) || !range_has(&kernelguard_plan.memory, pa, sizeof(u32)))
		return -EFAULT;
	*instruction = READ_ONCE(*(u32 *)pkvm_ops->fixmap_map(pa));
	pkvm_ops->fixmap_unmap();
	return 0;
}
