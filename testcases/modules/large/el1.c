// SPDX-License-Identifier: GPL-2.0-only
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "../handler.h"

int kvm_nvhe_sym(large_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(large_hvc)(handler_regs *regs);

static int __init large_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(large_hyp_init), &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(large_hvc), token);
	pr_info("large: hypercall %d\n", ret);
	return ret < 0 ? ret : 0;
}
module_init(large_init);

MODULE_DESCRIPTION("Sections of several pages");
MODULE_LICENSE("GPL");
