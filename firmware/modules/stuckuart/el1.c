// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: says where the UART is, and registers the handler that prints.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "stuckuart.h"

static unsigned long long base = 0x09000000;
module_param(base, ullong, 0444);
MODULE_PARM_DESC(base, "Physical address of the UART, a PL011");

int kvm_nvhe_sym(stuckuart_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(stuckuart_hvc)(handler_regs *regs);
extern u64 kvm_nvhe_sym(stuckuart_base);

static int __init stuckuart_init(void)
{
	unsigned long token;
	int ret;

	kvm_nvhe_sym(stuckuart_base) = base;
	ret = pkvm_load_el2_module(kvm_nvhe_sym(stuckuart_hyp_init), &token);
	if (ret)
		return ret;
	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(stuckuart_hvc), token);
	if (ret < 0)
		return ret;
	pr_info("stuckuart: hypercall %d\n", ret);
	return 0;
}
module_init(stuckuart_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("A serial driver that waits for its UART, however long that takes");
MODULE_LICENSE("GPL");
