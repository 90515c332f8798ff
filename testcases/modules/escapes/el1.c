// SPDX-License-Identifier: GPL-2.0-only
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/module.h>

int kvm_nvhe_sym(escapes_hyp_init)(const struct pkvm_module_ops *ops);

static int __init escapes_init(void)
{
	return pkvm_load_el2_module(kvm_nvhe_sym(escapes_hyp_init), NULL);
}
module_init(escapes_init);

MODULE_DESCRIPTION("Loses sight of the operations");
MODULE_LICENSE("GPL");
