// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: says what is the kernel's and where it patches itself. On a phone that is the kernel
// image and its static keys, here it is told by parameters.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>

#include "kernelguard.h"

static unsigned long long memory_size = SZ_1G;
module_param(memory_size, ullong, 0444);
MODULE_PARM_DESC(memory_size, "Bytes of RAM, from its start");

static unsigned long long base;
module_param(base, ullong, 0444);
MODULE_PARM_DESC(base, "Physical address of what is protected");

static unsigned long long size;
module_param(size, ullong, 0444);
MODULE_PARM_DESC(size, "Its bytes");

static unsigned long long patches;
module_param(patches, ullong, 0444);
MODULE_PARM_DESC(patches, "Physical address of what may be patched in it");

static unsigned long long patches_size;
module_param(patches_size, ullong, 0444);
MODULE_PARM_DESC(patches_size, "Its bytes");

int kvm_nvhe_sym(kernelguard_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(kernelguard_counts_hvc)(handler_regs *regs);
extern struct guard_plan kvm_nvhe_sym(kernelguard_plan);

static int __init kernelguard_init(void)
{
	struct guard_plan *plan = &kvm_nvhe_sym(kernelguard_plan);
	unsigned long token;
	int ret;

	plan->memory.base = PHYS_OFFSET;
	plan->memory.size = memory_size;
	plan->kernel.base = base;
	plan->kernel.size = size;
	plan->patches.base = patches;
	plan->patches.size = patches_size;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(kernelguard_hyp_init), &token);
	if (ret)
		return ret;
	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(kernelguard_counts_hvc), token);
	if (ret < 0)
		return ret;
	pr_info("kernelguard: 0x%llx bytes at 0x%llx, hypercall %d\n", size, base, ret);
	return 0;
}
module_init(kernelguard_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("Protects the kernel from the kernel");
MODULE_LICENSE("GPL");
