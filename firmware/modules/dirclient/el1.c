// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: registers a hypercall and enters it into the directory by an SMC, which the EL2 half
// of another module answers. That one has to be loaded before.
#include <asm/kvm_pkvm_module.h>
#include <linux/arm-smccc.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "../smcdirectory/smcdirectory.h"

static unsigned int key = 0xc2000a01;
module_param(key, uint, 0444);
MODULE_PARM_DESC(key, "The key to be found under");

int kvm_nvhe_sym(dirclient_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(dirclient_hvc)(handler_regs *regs);

static int enter(int hypercall)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_smc(DIRECTORY_REGISTER, key, hypercall, &res);
	/* Without a directory the call gets to EL3, which knows nothing of it. */
	return (int)res.a0 == SMCCC_RET_NOT_SUPPORTED ? -ENODEV : (int)res.a0;
}

/* What everybody else does: ask for the number, then call it. */
static int look_up(void)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_smc(key, &res);
	return res.a0 ? -ENOENT : (int)res.a1;
}

static int __init dirclient_init(void)
{
	unsigned long token;
	int hypercall, ret;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(dirclient_hyp_init), &token);
	if (ret)
		return ret;
	hypercall = pkvm_register_el2_mod_call(kvm_nvhe_sym(dirclient_hvc), token);
	if (hypercall < 0)
		return hypercall;
	ret = enter(hypercall);
	if (ret) {
		pr_err("dirclient: not entered: %d\n", ret);
		return ret;
	}
	if (look_up() != hypercall || pkvm_el2_mod_call(look_up(), 20, 22) != 42)
		return -EIO;
	pr_info("dirclient: 0x%x is hypercall %d\n", key, hypercall);
	return 0;
}
module_init(dirclient_init);

MODULE_SOFTDEP("pre: smcdirectory");
MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("Enters its hypercall into another module's directory");
MODULE_LICENSE("GPL");
