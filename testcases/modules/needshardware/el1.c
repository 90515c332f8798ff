// SPDX-License-Identifier: GPL-2.0-only
// An EL1 half that needs a kernel and a device which are not here: without vendor_probe() and its
// table it does not link. Its EL2 half is to be had alone.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "../handler.h"

int vendor_probe(unsigned int *limit);
extern int (*vendor_table[])(unsigned int *limit);

int kvm_nvhe_sym(hw_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(hw_get)(handler_regs *regs);
extern unsigned int kvm_nvhe_sym(limit);

static int (*probe)(unsigned int *limit) = vendor_probe;

static int __init needshardware_init(void)
{
	unsigned long token;
	int ret = probe(&kvm_nvhe_sym(limit));

	if (!ret)
		ret = vendor_table[0](&kvm_nvhe_sym(limit));
	if (!ret)
		ret = pkvm_load_el2_module(kvm_nvhe_sym(hw_init), &token);
	if (!ret)
		ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(hw_get), token);
	return ret;
}
module_init(needshardware_init);

MODULE_DESCRIPTION("Needs a device that is not there");
MODULE_LICENSE("GPL");
