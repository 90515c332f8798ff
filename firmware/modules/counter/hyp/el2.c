// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: operations found in a table of pointers, which the loader has to relocate.
#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/version.h>

/* android14 hands a handler its CPU context, later kernels the registers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif

/* In .data: the EL1 half sets it before the load. */
u64 counter_step = 7;

/* In .bss. */
static u64 total;

static u64 counter_add(u64 steps)
{
	total += steps * counter_step;
	return total;
}

static u64 counter_get(u64 unused)
{
	return total;
}

static u64 counter_reset(u64 unused)
{
	total = 0;
	return total;
}

struct counter_operation {
	const char *name;
	u64 (*run)(u64 argument);
};

static const struct counter_operation operations[] = {
	{ "counter: add", counter_add },
	{ "counter: get", counter_get },
	{ "counter: reset", counter_reset },
};

static const struct pkvm_module_ops *pkvm_ops;

/* x1: operation, x2: its argument; x1 = the total, or -EINVAL for an unknown operation. */
void counter_hvc(handler_regs *regs)
{
	DECLARE_REG(u64, number, regs, 1);
	DECLARE_REG(u64, argument, regs, 2);

	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	if (number >= ARRAY_SIZE(operations)) {
		cpu_reg(regs, 1) = (u64)-EINVAL;
		return;
	}
	pkvm_ops->puts(operations[number].name);
	cpu_reg(regs, 1) = operations[number].run(argument);
}

int counter_hyp_init(const struct pkvm_module_ops *ops)
{
	pkvm_ops = ops;
	return 0;
}
