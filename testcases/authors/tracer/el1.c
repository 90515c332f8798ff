// SPDX-License-Identifier: GPL-2.0-only
// The kernel half of a driver with trace events.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include <asm/kvm_pkvm_module.h>

#define HYP_EVENT_FILE hyp/events.h
#include <asm/kvm_define_hypevents.h>

int kvm_nvhe_sym(tracer_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(tracer_hyp_hvc)(struct user_pt_regs *regs);

static int __init tracer_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(tracer_hyp_init), &token);
	if (ret)
		return ret;
	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(tracer_hyp_hvc), token);
	if (ret < 0)
		return ret;
	pr_info("tracer: hvc %d\n", ret);
	return 0;
}
module_init(tracer_init);

MODULE_DESCRIPTION("Tells what EL2 does");
MODULE_LICENSE("GPL");
