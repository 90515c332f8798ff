// SPDX-License-Identifier: GPL-2.0-only
// The mistake: whether the directory has taken the entry is not asked. On a phone where the other
// module did not load, the driver is there and cannot be found.
#include <asm/kvm_pkvm_module.h>
#include <linux/arm-smccc.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "../../../firmware/modules/smcdirectory/smcdirectory.h"

int kvm_nvhe_sym(dirclient_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(dirclient_hvc)(handler_regs *regs);

static int __init ignoresanswer_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(dirclient_hyp_init), &token);
	if (ret)
		return ret;
	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(dirclient_hvc), token);
	if (ret < 0)
		return ret;
	arm_smccc_1_1_smc(DIRECTORY_REGISTER, 0xc2000a01, ret, NULL);
	return 0;
}
module_init(ignoresanswer_init);

MODULE_DESCRIPTION("Hopes to be in the directory");
MODULE_LICENSE("GPL");
