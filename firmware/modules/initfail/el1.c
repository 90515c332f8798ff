// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: passes the EL2 init's error on, as every module should.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

int kvm_nvhe_sym(initfail_hyp_init)(const struct pkvm_module_ops *ops);

static int __init initfail_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(initfail_hyp_init), &token);
	if (ret)
		pr_err("initfail: the EL2 half refused: %d\n", ret);
	return ret;
}
module_init(initfail_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("Fails at EL2 for want of memory");
MODULE_LICENSE("GPL");
