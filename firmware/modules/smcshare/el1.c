// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half. The host goes on making its SMCs as ever: that they pass through EL2 it sees from
// the refused ones alone.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "smcshare.h"

int kvm_nvhe_sym(smcshare_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(smcshare_counts_hvc)(handler_regs *regs);

static int __init smcshare_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(smcshare_hyp_init), &token);
	if (ret)
		return ret;
	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(smcshare_counts_hvc), token);
	if (ret < 0)
		return ret;
	pr_info("smcshare: hypercall %d\n", ret);
	return 0;
}
module_init(smcshare_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("Hands argument pages of secure calls over");
MODULE_LICENSE("GPL");
