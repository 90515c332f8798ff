// SPDX-License-Identifier: GPL-2.0-only
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "../handler.h"

int kvm_nvhe_sym(manyhandlers_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(manyhandlers_hvc)(handler_regs *regs);

static int __init manyhandlers_init(void)
{
	unsigned long token;
	int last = 0;
	int ret;
	int i;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(manyhandlers_hyp_init), &token);
	if (ret)
		return ret;

	for (i = 0; i < 129; i++) {
		ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(manyhandlers_hvc), token);
		if (ret < 0)
			break;
		last = ret;
	}
	pr_info("manyhandlers: %d registered, last %d, then %d\n", i, last, ret);
	return 0;
}
module_init(manyhandlers_init);

MODULE_DESCRIPTION("Registers one handler more than there is room for");
MODULE_LICENSE("GPL");
