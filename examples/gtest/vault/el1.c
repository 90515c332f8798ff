// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: loads the EL2 half and registers its two handlers.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "../handler.h"

int kvm_nvhe_sym(vault_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(vault_lock)(handler_regs *regs);
void kvm_nvhe_sym(vault_unlock)(handler_regs *regs);

static int __init vault_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(vault_hyp_init), &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(vault_lock), token);
	if (ret < 0)
		return ret;
	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(vault_unlock), token);
	return ret < 0 ? ret : 0;
}
module_init(vault_init);

MODULE_DESCRIPTION("Takes one page away from the host, and gives it back");
MODULE_LICENSE("GPL");
