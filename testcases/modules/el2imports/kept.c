// SPDX-License-Identifier: GPL-2.0-only
// el2lib's EL1 half with one mistake: it exports functions of an EL2 half that it does not load.
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include <asm/kvm_pkvm_module.h>

s64 kvm_nvhe_sym(el2lib_add)(u64 owner, s64 amount);
s64 kvm_nvhe_sym(el2lib_total)(void);

EXPORT_SYMBOL(kvm_nvhe_sym(el2lib_add));
EXPORT_SYMBOL(kvm_nvhe_sym(el2lib_total));

static int __init kept_init(void)
{
	pr_info("el2lib: exports only\n");
	return 0;
}
module_init(kept_init);

MODULE_DESCRIPTION("Exports functions of an EL2 half that stays where it is");
MODULE_LICENSE("GPL");
