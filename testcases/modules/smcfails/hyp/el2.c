// SPDX-License-Identifier: GPL-2.0-only
// Registers a handler of the host's SMCs and fails then. Every section that the generation knows
// has something in it, so that the clean-up finds no absent one.
#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/version.h>

#include "../../handler.h"

static u64 in_bss[4];
static const volatile u64 in_rodata = 7;
static u64 in_data = 35;
static u64 *volatile pointer = &in_data;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
/* One event's id and its flag. */
static struct {
	u16 id;
	void *flag;
} event_id __used __section(".hyp.event_ids") = { 0, &in_bss };
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
static u64 patchable __used __section("__patchable_function_entries") = 1;
#endif

static bool take_smc(handler_regs *regs)
{
	in_bss[0]++;
	cpu_reg(regs, 0) = in_rodata + *pointer;
	return true;
}

int smcfails_hyp_init(const struct pkvm_module_ops *ops)
{
	int ret = ops->register_host_smc_handler(take_smc);

	return ret ? ret : -ENOMEM;
}
