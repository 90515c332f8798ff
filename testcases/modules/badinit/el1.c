// SPDX-License-Identifier: GPL-2.0-only
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

int kvm_nvhe_sym(badinit_hyp_init)(const struct pkvm_module_ops *ops);

static int __init badinit_init(void)
{
	unsigned long token;

	return pkvm_load_el2_module(kvm_nvhe_sym(badinit_hyp_init), &token);
}
module_init(badinit_init);

MODULE_DESCRIPTION("An EL2 init that never comes to its end");
MODULE_LICENSE("GPL");
