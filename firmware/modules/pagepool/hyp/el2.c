// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: the handlers. x1 answers 0 or a negative error.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "pool.h"

const struct pkvm_module_ops *pkvm_ops;

/* In .data: EL1 writes them before the load. */
u64 pagepool_first_pfn = 1;
u64 pagepool_end_pfn = 1;

/* Any CPU of the host may call at any time, and EL2 offers modules no locks. */
static u32 busy;

static void lock(void)
{
	while (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE))
		;
}

static void unlock(void)
{
	__atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

static void answer(handler_regs *regs, int code)
{
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = (u64)code;
}

/* x1: the page of the list. A host kernel shares by a hypercall of its own as well. */
void pagepool_share_hvc(handler_regs *regs)
{
	answer(regs, pkvm_ops->host_share_hyp(cpu_reg(regs, 1)));
}

void pagepool_unshare_hvc(handler_regs *regs)
{
	answer(regs, pkvm_ops->host_unshare_hyp(cpu_reg(regs, 1)));
}

/* x1: the page of the list, x2: its entries. */
void pagepool_fill_hvc(handler_regs *regs)
{
	DECLARE_REG(u64, list_pfn, regs, 1);
	DECLARE_REG(u64, count, regs, 2);

	lock();
	answer(regs, pool_fill(list_pfn, count));
	unlock();
}

/* x2 = how many pages went back. */
void pagepool_drain_hvc(handler_regs *regs)
{
	u64 pages = 0;

	lock();
	answer(regs, pool_drain(&pages));
	unlock();
	cpu_reg(regs, 2) = pages;
}

int pagepool_hyp_init(const struct pkvm_module_ops *ops)
{
	pkvm_ops = ops;
	return pagepool_first_pfn < pagepool_end_pfn ? 0 : -EINVAL;
}
