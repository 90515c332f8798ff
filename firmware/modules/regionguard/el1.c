// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: hands over what is to be guarded from the start. On a phone the regions come from
// reserved memory in the device tree, here from a parameter.
#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>

#include "regionguard.h"

#define NUMBERS_PER_REGION 3

static unsigned long long regions[GUARD_REGIONS * NUMBERS_PER_REGION];
static unsigned int region_numbers;
module_param_array(regions, ullong, &region_numbers, 0444);
MODULE_PARM_DESC(regions, "BASE,SIZE,ACCESS of each region; ACCESS 0: none, 1: read only");

static unsigned long long memory_size = SZ_1G;
module_param(memory_size, ullong, 0444);
MODULE_PARM_DESC(memory_size, "Bytes of RAM, from its start");

static bool skip;
module_param(skip, bool, 0444);
MODULE_PARM_DESC(skip, "Skip stores to read-only regions instead of aborting them");

int kvm_nvhe_sym(regionguard_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(regionguard_protect_hvc)(handler_regs *regs);
void kvm_nvhe_sym(regionguard_release_hvc)(handler_regs *regs);
void kvm_nvhe_sym(regionguard_count_hvc)(handler_regs *regs);
extern struct guard_region kvm_nvhe_sym(regionguard_memory);
extern struct guard_region kvm_nvhe_sym(regionguard_boot)[GUARD_REGIONS];
extern u64 kvm_nvhe_sym(regionguard_boot_count);
extern u64 kvm_nvhe_sym(regionguard_skip);

/* Possible only now: after the load these pages belong to the hypervisor. */
static int __init hand_over(void)
{
	unsigned int i;

	if (region_numbers % NUMBERS_PER_REGION) {
		pr_err("regionguard: regions= takes three numbers for each\n");
		return -EINVAL;
	}
	for (i = 0; i < region_numbers / NUMBERS_PER_REGION; i++) {
		const unsigned long long *numbers = &regions[i * NUMBERS_PER_REGION];
		struct guard_region *region = &kvm_nvhe_sym(regionguard_boot)[i];

		region->base = numbers[0];
		region->size = numbers[1];
		region->access = numbers[2];
	}
	kvm_nvhe_sym(regionguard_boot_count) = i;
	kvm_nvhe_sym(regionguard_memory).base = PHYS_OFFSET;
	kvm_nvhe_sym(regionguard_memory).size = memory_size;
	kvm_nvhe_sym(regionguard_skip) = skip;
	return 0;
}

static int __init regionguard_init(void)
{
	const dyn_hcall_t functions[] = {
		kvm_nvhe_sym(regionguard_protect_hvc),
		kvm_nvhe_sym(regionguard_release_hvc),
		kvm_nvhe_sym(regionguard_count_hvc),
	};
	unsigned long token;
	unsigned int i;
	int ret;

	ret = hand_over();
	if (ret)
		return ret;
	ret = pkvm_load_el2_module(kvm_nvhe_sym(regionguard_hyp_init), &token);
	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		ret = pkvm_register_el2_mod_call(functions[i], token);
		if (ret < 0)
			return ret;
	}
	pr_info("regionguard: %u regions, last hypercall %d\n",
		region_numbers / NUMBERS_PER_REGION, ret);
	return 0;
}
module_init(regionguard_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("Keeps the host out of regions of its memory");
MODULE_LICENSE("GPL");
