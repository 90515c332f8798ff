// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: hands the EL2 half to the hypervisor and registers its handler.
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

int kvm_nvhe_sym(serial_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(serial_hvc)(handler_regs *regs);

static int __init serial_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(serial_hyp_init), &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(serial_hvc), token);
	if (ret < 0)
		return ret;

	pr_info("serial: hypercall %d\n", ret);
	return 0;
}
module_init(serial_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("Prints what EL2 says with a prefix on every line");
MODULE_LICENSE("GPL");
