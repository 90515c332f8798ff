// SPDX-License-Identifier: GPL-2.0-only
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "../handler.h"

int kvm_nvhe_sym(faulty_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(faulty_hvc)(handler_regs *regs);

static int __init faulty_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(faulty_hyp_init), &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(faulty_hvc), token);
	pr_info("faulty: hypercall %d\n", ret);
	return ret < 0 ? ret : 0;
}
module_init(faulty_init);

MODULE_DESCRIPTION("A handler that writes where nothing is mapped");
MODULE_LICENSE("GPL");
