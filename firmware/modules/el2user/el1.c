// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: loads the EL2 half, and registers its handler.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

int kvm_nvhe_sym(el2user_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(el2user_hvc)(struct user_pt_regs *regs);

static int __init el2user_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(el2user_hyp_init), &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(el2user_hvc), token);
	return ret < 0 ? ret : 0;
}
module_init(el2user_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("Its EL2 half calls that of el2lib");
MODULE_LICENSE("GPL");
