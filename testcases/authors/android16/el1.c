// SPDX-License-Identifier: GPL-2.0-only
// The kernel half in the shape of the documentation's example: load, register, call.
#include <linux/init.h>
#include <linux/module.h>
#include <linux/kernel.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_pkvm_driver_hyp_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_pkvm_driver_hyp_hvc(struct user_pt_regs *regs);

static int hvc_number;

static int __init pkvm_driver_init(void)
{
	long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_pkvm_driver_hyp_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_pkvm_driver_hyp_hvc, token);
	if (ret < 0)
		return ret;

	hvc_number = ret;
	pr_info("driver: hvc %d answers %lu\n", hvc_number, pkvm_el2_mod_call(hvc_number, 20, 22));
	return 0;
}
module_init(pkvm_driver_init);

MODULE_LICENSE("GPL");
