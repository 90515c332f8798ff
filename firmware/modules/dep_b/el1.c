// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: loads its EL2 half, once dep_a is there. modprobe sees to that: the kernel's
// modules.dep has it when a symbol is imported; here the build is told (--depends dep_a).
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

int kvm_nvhe_sym(dep_b_hyp_init)(const struct pkvm_module_ops *ops);

static int __init dep_b_init(void)
{
	return pkvm_load_el2_module(kvm_nvhe_sym(dep_b_hyp_init), NULL);
}
module_init(dep_b_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("Needs dep_a's console");
MODULE_LICENSE("GPL");
