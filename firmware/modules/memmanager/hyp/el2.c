// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: init and the commands, of which x1 answers 0 or a negative error.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "manager.h"

const struct pkvm_module_ops *pkvm_ops;

struct manager_table memmanager_table;

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

static void assign(handler_regs *regs, u64 owner)
{
	int ret;

	lock();
	ret = row_assign(cpu_reg(regs, 1), owner);
	unlock();
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = (u64)ret;
}

/* x1: the row, x2: enum manager_owner. */
void memmanager_assign_hvc(handler_regs *regs)
{
	assign(regs, cpu_reg(regs, 2));
}

/* x1: the row. */
void memmanager_unassign_hvc(handler_regs *regs)
{
	assign(regs, OWNER_HOST);
}

/* x1 = rows, x2 = refused stores of the host, x3 = address of the last one. */
void memmanager_report_hvc(handler_regs *regs)
{
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = memmanager_table.rows;
	cpu_reg(regs, 2) = READ_ONCE(manager_faults.count);
	cpu_reg(regs, 3) = READ_ONCE(manager_faults.address);
}

static int start(void)
{
	int ret = rows_check();

	if (ret)
		return ret;
	ret = rows_protect();
	if (ret)
		return ret;
	/* Nothing takes a handler back, so it comes last. */
	ret = pkvm_ops->register_host_perm_fault_handler(manager_fault);
	if (ret)
		rows_release();
	return ret;
}

int memmanager_hyp_init(const struct pkvm_module_ops *ops)
{
	int ret;

	pkvm_ops = ops;
	ret = table_take();
	if (ret)
		return ret;
	ret = start();
	if (ret)
		table_return();
	return ret;
}
