// SPDX-License-Identifier: GPL-2.0-only
// Handlers of the host's permission faults, and the notifier of its illegal aborts (operations.h).
#include "../operations.h"

#include <asm/sysreg.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "memory.h"

static struct {
	enum memory_action action;
	int answer;
} plan[3];

static struct {
	u64 count;
	u64 esr;
	u64 address;
	u64 order;	/* four bits a call, the last one lowest */
} handled;

static struct {
	u64 count;
	u64 x0;
} notified;

static void allow(u64 address)
{
	const enum kvm_pgtable_prot all =
		KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_W | KVM_PGTABLE_PROT_X;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	pkvm_ops->host_stage2_mod_prot(address >> PAGE_SHIFT, all);
#else
	pkvm_ops->host_stage2_mod_prot(address >> PAGE_SHIFT, all, 1, false);
#endif
}

static int handle(unsigned int number, u64 esr, u64 address)
{
	handled.count++;
	handled.esr = esr;
	handled.address = address;
	handled.order = handled.order << 4 | number;
	if (plan[number].action == MEMORY_ACT_ALLOW)
		allow(address);
	if (plan[number].action == MEMORY_ACT_SKIP)
		write_sysreg(read_sysreg(elr_el2) + 4, elr_el2);
	return plan[number].answer;
}

static int handler_0(handler_regs *regs, u64 esr, u64 address)
{
	return handle(0, esr, address);
}

static int handler_1(handler_regs *regs, u64 esr, u64 address)
{
	return handle(1, esr, address);
}

static int handler_2(handler_regs *regs, u64 esr, u64 address)
{
	return handle(2, esr, address);
}

static int (*const handlers[])(handler_regs *regs, u64 esr, u64 address) = {
	handler_0,
	handler_1,
	handler_2,
};

u64 memory_handler(handler_regs *regs)
{
	const u64 number = cpu_reg(regs, 2);

	if (number >= ARRAY_SIZE(handlers))
		return -ENOENT;
	return pkvm_ops->register_host_perm_fault_handler(handlers[number]);
}

u64 memory_answer(handler_regs *regs)
{
	const u64 number = cpu_reg(regs, 2);

	if (number >= ARRAY_SIZE(plan))
		return -ENOENT;
	plan[number].action = (enum memory_action)cpu_reg(regs, 3);
	plan[number].answer = (int)cpu_reg(regs, 4);
	return 0;
}

u64 memory_handled(handler_regs *regs)
{
	cpu_reg(regs, 2) = handled.esr;
	cpu_reg(regs, 3) = handled.address;
	cpu_reg(regs, 4) = handled.order;
	return handled.count;
}

static void notifier(handler_regs *regs)
{
	notified.count++;
	notified.x0 = cpu_reg(regs, 0);
}

u64 memory_notifier(handler_regs *regs)
{
	return pkvm_ops->register_illegal_abt_notifier(notifier);
}

u64 memory_notified(handler_regs *regs)
{
	cpu_reg(regs, 2) = notified.x0;
	return notified.count;
}
