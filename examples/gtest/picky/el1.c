// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half of a module whose EL2 half does not like this machine.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/module.h>

int kvm_nvhe_sym(picky_hyp_init)(const struct pkvm_module_ops *ops);

static int __init picky_init(void)
{
	unsigned long token;

	return pkvm_load_el2_module(kvm_nvhe_sym(picky_hyp_init), &token);
}
module_init(picky_init);

MODULE_DESCRIPTION("Refuses to be loaded");
MODULE_LICENSE("GPL");
