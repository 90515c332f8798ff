// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: loads the EL2 half, and exports its functions so that the kernel binds the EL2
// halves of other modules to them.
#include <asm/kvm_pkvm_module.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

int kvm_nvhe_sym(el2lib_hyp_init)(const struct pkvm_module_ops *ops);
s64 kvm_nvhe_sym(el2lib_add)(u64 owner, s64 amount);
s64 kvm_nvhe_sym(el2lib_total)(void);

EXPORT_SYMBOL(kvm_nvhe_sym(el2lib_add));
EXPORT_SYMBOL(kvm_nvhe_sym(el2lib_total));

static int __init el2lib_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(el2lib_hyp_init), &token);
	if (!ret)
		pr_info("el2lib: ready\n");
	return ret;
}
module_init(el2lib_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("Functions for the EL2 halves of other modules");
MODULE_LICENSE("GPL");
