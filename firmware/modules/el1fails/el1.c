// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: fails after its EL2 half was loaded. The kernel unloads the EL1 half; what runs at
// EL2 stays there, since nothing can take it out again.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

int kvm_nvhe_sym(el1fails_hyp_init)(const struct pkvm_module_ops *ops);

static int __init el1fails_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(el1fails_hyp_init), &token);
	if (ret)
		return ret;

	/* Do what can fail before the load instead: here it is too late to go back. */
	pr_err("el1fails: no such device\n");
	return -ENODEV;
}
module_init(el1fails_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("Fails at EL1 when EL2 has it already");
MODULE_LICENSE("GPL");
