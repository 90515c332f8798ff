// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half gives up after its EL2 half was loaded: that half stays with the hypervisor.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

int kvm_nvhe_sym(el1late_hyp_init)(const struct pkvm_module_ops *ops);

static int __init el1late_init(void)
{
	unsigned long token;
	int ret = pkvm_load_el2_module(kvm_nvhe_sym(el1late_hyp_init), &token);

	if (ret)
		return ret;
	pr_err("el1late: no such device here\n");
	return -ENODEV;
}
module_init(el1late_init);

MODULE_DESCRIPTION("Fails when its EL2 half is loaded");
MODULE_LICENSE("GPL");
