// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: there is nothing to call, for the directory works through SMCs alone.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

int kvm_nvhe_sym(smcdirectory_hyp_init)(const struct pkvm_module_ops *ops);

static int __init smcdirectory_init(void)
{
	unsigned long token;
	const int ret = pkvm_load_el2_module(kvm_nvhe_sym(smcdirectory_hyp_init), &token);

	if (!ret)
		pr_info("smcdirectory: open\n");
	return ret;
}
module_init(smcdirectory_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("Tells the numbers of other modules' hypercalls");
MODULE_LICENSE("GPL");
