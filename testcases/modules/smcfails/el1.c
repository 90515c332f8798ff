// SPDX-License-Identifier: GPL-2.0-only
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/version.h>

int kvm_nvhe_sym(smcfails_hyp_init)(const struct pkvm_module_ops *ops);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
/* The EL1 half's view of one event: 72 bytes. */
static u64 event[9] __used __section("_hyp_events");
#endif

static int __init smcfails_init(void)
{
	unsigned long token;

	return pkvm_load_el2_module(kvm_nvhe_sym(smcfails_hyp_init), &token);
}
module_init(smcfails_init);

MODULE_DESCRIPTION("An EL2 init that fails with its SMC handler registered");
MODULE_LICENSE("GPL");
