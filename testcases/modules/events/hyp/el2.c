// SPDX-License-Identifier: GPL-2.0-only
// Two trace events, and the trace operations one by one.
#include "../events.h"

#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "../../handler.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)

void events_hvc(handler_regs *regs)
{
	cpu_reg(regs, 1) = -ENOSYS;
}

int events_hyp_init(const struct pkvm_module_ops *ops)
{
	return 0;
}

#else

static const struct pkvm_module_ops *pkvm_ops;
/* Initialised, as the flags of a kernel's events are data. */
static int sum_enabled = 0;
static int mark_enabled = 0;
static struct hyp_event_id ids[] __attribute__((section(".hyp.event_ids"), used)) = {
	{ .data = &sum_enabled },
	{ .data = &mark_enabled },
};

static bool write_sum(u64 a, u32 b)
{
	struct entry_sum *entry;

	if (!READ_ONCE(sum_enabled))
		return false;
	entry = pkvm_ops->tracing_reserve_entry(sizeof(*entry));
	if (!entry)
		return false;
	entry->id = READ_ONCE(ids[0].id);
	entry->a = a;
	entry->b = b;
	entry->difference = (s32)(a - b);
	pkvm_ops->tracing_commit_entry();
	return true;
}

static bool write_mark(u8 number)
{
	struct entry_mark *entry;

	if (!READ_ONCE(mark_enabled))
		return false;
	entry = pkvm_ops->tracing_reserve_entry(sizeof(*entry));
	if (!entry)
		return false;
	entry->id = READ_ONCE(ids[1].id);
	entry->number = number;
	pkvm_ops->tracing_commit_entry();
	return true;
}

static u64 write_many(u64 count)
{
	u64 written = 0;
	u64 i;

	for (i = 0; i < count; i++)
		written += write_mark((u8)i);
	return written;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
static u64 register_ids(handler_regs *regs)
{
	u64 wanted = cpu_reg(regs, 2);
	u64 successes = 0;
	int ret = 0;

	while (wanted--) {
		ret = pkvm_ops->register_hyp_event_ids((unsigned long)ids,
						       (unsigned long)(ids + ARRAY_SIZE(ids)));
		successes += ret == 0;
	}
	cpu_reg(regs, 2) = successes;
	return (s64)ret;
}
#endif

void events_hvc(handler_regs *regs)
{
	DECLARE_REG(u64, number, regs, 1);
	DECLARE_REG(u64, argument, regs, 2);
	u64 result = -ENOSYS;

	switch (number) {
	case EVENTS_SUM:
		result = write_sum(argument, (u32)cpu_reg(regs, 3));
		break;
	case EVENTS_MARK:
		result = write_mark((u8)argument);
		break;
	case EVENTS_MANY:
		result = write_many(argument);
		break;
	case EVENTS_RESERVE:
		result = pkvm_ops->tracing_reserve_entry(argument) != NULL;
		break;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	case EVENTS_REGISTER:
		result = register_ids(regs);
		break;
#else
	case EVENTS_PRINTK:
		pkvm_ops->tracing_mod_hyp_printk((u8)argument, cpu_reg(regs, 3), 0x11, 0x22, 0x33);
		result = 0;
		break;
#endif
	}
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = result;
}

int events_hyp_init(const struct pkvm_module_ops *ops)
{
	pkvm_ops = ops;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	return ops->register_hyp_event_ids((unsigned long)ids, (unsigned long)(ids + ARRAY_SIZE(ids)));
#else
	return 0;
#endif
}

#endif
