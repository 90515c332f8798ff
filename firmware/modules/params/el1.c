// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: writes the EL2 half's variables. That works only before the load, for after it
// their pages belong to the hypervisor.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/version.h>

/* android14 hands a handler its CPU context, later kernels the registers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif

static unsigned int limit = 100;
module_param(limit, uint, 0444);
MODULE_PARM_DESC(limit, "Largest number that the handler accepts");

int kvm_nvhe_sym(params_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(params_hvc)(handler_regs *regs);
extern u64 kvm_nvhe_sym(params_limit);
extern u64 kvm_nvhe_sym(params_table)[4];

static int __init params_init(void)
{
	unsigned long token;
	unsigned int i;
	int ret;

	kvm_nvhe_sym(params_limit) = limit;
	for (i = 0; i < 4; i++)
		kvm_nvhe_sym(params_table)[i] = (i + 1) * 10;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(params_hyp_init), &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(params_hvc), token);
	if (ret < 0)
		return ret;

	pr_info("params: limit %u, hypercall %d\n", limit, ret);
	return 0;
}
module_init(params_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("EL2 variables that EL1 sets before the load");
MODULE_LICENSE("GPL");
