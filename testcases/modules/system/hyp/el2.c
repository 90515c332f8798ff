// SPDX-License-Identifier: GPL-2.0-only
// The operations of pkvm_module_ops that are not about memory of the host, one hypercall operation
// each, so that tests can drive them from EL1 (operations.h).
#include "../operations.h"

#include <asm/kvm_pkvm_module.h>
#include <asm/sysreg.h>
#include <linux/arm-smccc.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/list.h>

#include "../../handler.h"

static const struct pkvm_module_ops *pkvm_ops;
static u64 counts[SYSTEM_HANDLERS];
static u64 arguments[SYSTEM_HANDLERS];

static void note(enum system_handler handler, u64 argument)
{
	counts[handler]++;
	arguments[handler] = argument;
}

static bool take_smc(handler_regs *regs)
{
	int i;

	note(SYSTEM_SMC, cpu_reg(regs, 0));
	switch (cpu_reg(regs, 0)) {
	case 0xc2000010:
		cpu_reg(regs, 0) = 0;
		cpu_reg(regs, 1) = 0x111;
		return true;
	case 0xc2000011:
		cpu_reg(regs, 1) = 0x222;
		return false;
	case 0xc2000012:
		cpu_reg(regs, 0) = 0;
		for (i = 1; i < 18; i++)
			cpu_reg(regs, i) += 0x1000;
		return true;
	case 0xc2000015:
		cpu_reg(regs, 0) = 0;
		cpu_reg(regs, 1) = read_sysreg(elr_el2);
		write_sysreg(read_sysreg(elr_el2) + 4, elr_el2);
		return true;
	case 0xc2000014:
		cpu_reg(regs, 0) = 0;
		cpu_reg(regs, 1) = read_sysreg(elr_el2);
		return true;
	}
	return false;
}

static bool take_smc_second(handler_regs *regs)
{
	note(SYSTEM_SMC_SECOND, cpu_reg(regs, 0));
	if (cpu_reg(regs, 0) != 0xc2000010 && cpu_reg(regs, 0) != 0xc2000013)
		return false;
	cpu_reg(regs, 0) = 0;
	cpu_reg(regs, 1) = 0x333;
	return true;
}

static bool take_trap(handler_regs *regs)
{
	note(SYSTEM_TRAP, read_sysreg(esr_el2) >> 26);
	if (counts[SYSTEM_TRAP] == 1)
		return true; /* the instruction again */
	write_sysreg(read_sysreg(elr_el2) + 4, elr_el2);
	return true;
}

static bool refuse_trap(handler_regs *regs)
{
	note(SYSTEM_TRAP_REFUSING, 0);
	return false;
}

static void hear_psci(enum pkvm_psci_notification notification, handler_regs *regs)
{
	note(SYSTEM_PSCI, (u64)notification << 56 | cpu_reg(regs, 0));
}

static void hear_panic(handler_regs *regs)
{
	pkvm_ops->puts("system: panic, the host's x1 was");
	pkvm_ops->putx64(cpu_reg(regs, 1));
}

static void take_character(char c)
{
	note(SYSTEM_SERIAL, c);
}

static u64 system_count(handler_regs *regs)
{
	const u64 handler = cpu_reg(regs, 2);

	if (handler >= SYSTEM_HANDLERS)
		return -EINVAL;
	cpu_reg(regs, 2) = arguments[handler];
	return counts[handler];
}

static u64 system_hcr(handler_regs *regs)
{
	pkvm_ops->update_hcr_el2(cpu_reg(regs, 2), cpu_reg(regs, 3));
	return read_sysreg(hcr_el2);
}

static u64 system_read_hcr(handler_regs *regs)
{
	cpu_reg(regs, 2) = read_sysreg(daif);
	return read_sysreg(hcr_el2);
}

static u64 system_hfgwtr(handler_regs *regs)
{
	pkvm_ops->update_hfgwtr_el2(cpu_reg(regs, 2), cpu_reg(regs, 3));
	return 0;
}

static u64 system_register_smc_list(handler_regs *regs)
{
	u64 wanted = cpu_reg(regs, 2);
	u64 successes = 0;
	int ret = 0;

	while (wanted--) {
		ret = pkvm_ops->register_host_smc_handler(take_smc);
		successes += ret == 0;
	}
	cpu_reg(regs, 2) = (s64)ret;
	return successes;
}

static u64 system_bug(handler_regs *regs)
{
	__asm__ volatile("brk #0x800");
	return 0;
}

/* The second one has no hash of a handler's type before it. */
static u64 wrong_type(u64 value)
{
	return value;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
/* android14 has fewer operations. */
static int register_others(u64 handler)
{
	return -ENOSYS;
}
#define SYSTEM_ONLY_LATER(function) 0
#else

static bool serror_unmask(void)
{
	note(SYSTEM_SERROR, 0);
	return true;
}

static bool serror_keep(void)
{
	note(SYSTEM_SERROR_KEEPS, 0);
	return false;
}

static void serror_mask(void)
{
	note(SYSTEM_SERROR_MASK, 0);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
static bool take_guest_smc(struct arm_smccc_1_2_regs *regs, struct arm_smccc_1_2_regs *res,
			   pkvm_handle_t handle)
{
	note(SYSTEM_GUEST_SMC, handle);
	if (regs->a0 != 0xc2000020)
		return false;
	res->a0 = 0;
	res->a1 = regs->a1 + 1;
	res->a17 = 0x17;
	return true;
}

static bool take_guest_smc_second(struct arm_smccc_1_2_regs *regs, struct arm_smccc_1_2_regs *res,
				  pkvm_handle_t handle)
{
	note(SYSTEM_GUEST_SMC_SECOND, regs->a0);
	if (regs->a0 != 0xc2000020 && regs->a0 != 0xc2000021)
		return false;
	res->a0 = 0;
	res->a1 = regs->a1 + 2;
	return true;
}
#endif

static int register_others(u64 handler)
{
	switch (handler) {
	case SYSTEM_SERROR:
		return pkvm_ops->register_unmask_serror(serror_unmask, serror_mask);
	case SYSTEM_SERROR_KEEPS:
		return pkvm_ops->register_unmask_serror(serror_keep, serror_mask);
	case SYSTEM_SERROR_HALF:
		return pkvm_ops->register_unmask_serror(serror_unmask, NULL);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	case SYSTEM_GUEST_SMC:
		return pkvm_ops->register_guest_smc_handler(take_guest_smc);
	case SYSTEM_GUEST_SMC_SECOND:
		return pkvm_ops->register_guest_smc_handler(take_guest_smc_second);
#endif
	}
	return -ENOSYS;
}

static u64 system_alloc(handler_regs *regs)
{
	const u64 address = (u64)pkvm_ops->hyp_alloc(cpu_reg(regs, 2));

	cpu_reg(regs, 2) = (s64)pkvm_ops->hyp_alloc_errno();
	return address;
}

static u64 system_free(handler_regs *regs)
{
	pkvm_ops->hyp_free((void *)cpu_reg(regs, 2));
	return 0;
}

static u64 system_errno(handler_regs *regs)
{
	return pkvm_ops->hyp_alloc_errno();
}

static u64 system_missing(handler_regs *regs)
{
	return pkvm_ops->hyp_alloc_missing_donations();
}

static u64 system_cpu(handler_regs *regs)
{
	return pkvm_ops->hyp_smp_processor_id();
}

static u64 system_delay(handler_regs *regs)
{
	const u64 ticks = cpu_reg(regs, 2) * read_sysreg(cntfrq_el0) / 1000000;
	const u64 start = read_sysreg(cntvct_el0);

	pkvm_ops->udelay(cpu_reg(regs, 2));
	return read_sysreg(cntvct_el0) - start >= ticks;
}

static struct list_head list_a, list_b, list_c;

/*
 * Calls with a pattern in every register that a slow path has to keep: what came back, and a bit in
 * `changed` for each register that did not keep its own.
 */
__attribute__((naked)) static bool call_keeping(void *function, void *x0, void *x1, void *x2,
						u64 *changed)
{
	__asm__ volatile("stp x29, x30, [sp, #-112]!\n"
			 "stp x19, x20, [sp, #16]\n"
			 "stp x21, x22, [sp, #32]\n"
			 "stp x23, x24, [sp, #48]\n"
			 "stp x25, x26, [sp, #64]\n"
			 "stp x27, x28, [sp, #80]\n"
			 "str x4, [sp, #96]\n"
			 "mov x16, x0\n"
			 "mov x0, x1\n"
			 "mov x1, x2\n"
			 "mov x2, x3\n"
			 ".irp r, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28\n"
			 "mov x\\r, #(0x7000 + \\r)\n"
			 ".endr\n"
			 "blr x16\n"
			 "mov x16, #0\n"
			 ".irp r, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28\n"
			 "mov x17, #(0x7000 + \\r)\n"
			 "cmp x\\r, x17\n"
			 "cset x17, ne\n"
			 "orr x16, x16, x17, lsl #\\r\n"
			 ".endr\n"
			 "ldr x4, [sp, #96]\n"
			 "str x16, [x4]\n"
			 "ldp x19, x20, [sp, #16]\n"
			 "ldp x21, x22, [sp, #32]\n"
			 "ldp x23, x24, [sp, #48]\n"
			 "ldp x25, x26, [sp, #64]\n"
			 "ldp x27, x28, [sp, #80]\n"
			 "ldp x29, x30, [sp], #112\n"
			 "ret\n");
}

/* a <-> c, and b not in it; then what the case spoils. */
static u64 system_list(handler_regs *regs)
{
	const u64 which = cpu_reg(regs, 2);
	u64 changed = 0;
	u64 answer;

	list_a = (struct list_head){ &list_c, &list_c };
	list_c = (struct list_head){ &list_a, &list_a };
	list_b = (struct list_head){ &list_b, &list_b };
	if (which == SYSTEM_LIST_ADD_CORRUPT)
		list_c.prev = &list_b;
	if (which == SYSTEM_LIST_DELETE_CORRUPT)
		list_a.next = &list_b;
	if (which == SYSTEM_LIST_DELETE_POISONED)
		list_c.next = (struct list_head *)0xdead000000000100UL;
	if (which <= SYSTEM_LIST_ADD_TWICE)
		answer = call_keeping(pkvm_ops->list_add_valid_or_report,
				      which == SYSTEM_LIST_ADD_TWICE ? &list_a : &list_b, &list_a,
				      &list_c, &changed);
	else
		answer = call_keeping(pkvm_ops->list_del_entry_valid_or_report, &list_c, NULL, NULL,
				      &changed);
	cpu_reg(regs, 2) = changed;
	return answer;
}
#define SYSTEM_ONLY_LATER(function) function
#endif

static int register_handler(u64 handler)
{
	switch (handler) {
	case SYSTEM_SMC:
		return pkvm_ops->register_host_smc_handler(take_smc);
	case SYSTEM_SMC_SECOND:
		return pkvm_ops->register_host_smc_handler(take_smc_second);
	case SYSTEM_SMC_NULL:
		return pkvm_ops->register_host_smc_handler(NULL);
	case SYSTEM_SMC_WRONG_TYPE:
		return pkvm_ops->register_host_smc_handler((bool (*)(handler_regs *))(void *)wrong_type);
	case SYSTEM_TRAP:
		return pkvm_ops->register_default_trap_handler(take_trap);
	case SYSTEM_TRAP_REFUSING:
		return pkvm_ops->register_default_trap_handler(refuse_trap);
	case SYSTEM_PSCI:
		return pkvm_ops->register_psci_notifier(hear_psci);
	case SYSTEM_SERIAL:
		return pkvm_ops->register_serial_driver(take_character);
	case SYSTEM_PANIC:
		return pkvm_ops->register_hyp_panic_notifier(hear_panic);
	}
	return register_others(handler);
}

static u64 system_register(handler_regs *regs)
{
	return register_handler(cpu_reg(regs, 2));
}

static u64 system_sum(handler_regs *regs)
{
	const u8 *bytes = (const u8 *)cpu_reg(regs, 2);
	u64 left = cpu_reg(regs, 3);
	u64 sum = 0;

	while (left--)
		sum += *bytes++;
	return sum;
}

static u64 system_fill(handler_regs *regs)
{
	pkvm_ops->memset((void *)cpu_reg(regs, 2), 0xff, cpu_reg(regs, 3));
	return 0;
}

static u64 (*const operations[])(handler_regs *regs) = {
	[SYSTEM_ALLOC] = SYSTEM_ONLY_LATER(system_alloc),
	[SYSTEM_FREE] = SYSTEM_ONLY_LATER(system_free),
	[SYSTEM_ERRNO] = SYSTEM_ONLY_LATER(system_errno),
	[SYSTEM_MISSING] = SYSTEM_ONLY_LATER(system_missing),
	[SYSTEM_SUM] = system_sum,
	[SYSTEM_FILL] = system_fill,
	[SYSTEM_HCR] = system_hcr,
	[SYSTEM_HFGWTR] = system_hfgwtr,
	[SYSTEM_REGISTER] = system_register,
	[SYSTEM_REGISTER_SMC_LIST] = system_register_smc_list,
	[SYSTEM_COUNT] = system_count,
	[SYSTEM_LIST] = SYSTEM_ONLY_LATER(system_list),
	[SYSTEM_CPU] = SYSTEM_ONLY_LATER(system_cpu),
	[SYSTEM_DELAY] = SYSTEM_ONLY_LATER(system_delay),
	[SYSTEM_BUG] = system_bug,
	[SYSTEM_READ_HCR] = system_read_hcr,
};

void system_hvc(handler_regs *regs)
{
	DECLARE_REG(u64, number, regs, 1);
	const bool known = number < ARRAY_SIZE(operations) && operations[number];

	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = known ? operations[number](regs) : -ENOSYS;
}

int system_hyp_init(const struct pkvm_module_ops *ops)
{
	pkvm_ops = ops;
	return 0;
}
