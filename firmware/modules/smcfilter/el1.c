// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: says how strict the filter is, which is possible before the load alone, and
// describes its trace event to the kernel.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "smcfilter.h"

#if FILTER_HAS_EVENTS
#define HYP_EVENT_FILE hyp/events.h
#include <asm/kvm_define_hypevents.h>
#endif

static bool permissive;
module_param(permissive, bool, 0444);
MODULE_PARM_DESC(permissive, "Forward the calls that are not on the list, and tell of them");

static bool counting = true;
module_param(counting, bool, 0444);
MODULE_PARM_DESC(counting, "Count calls for smcfilter_counts_hvc");

int kvm_nvhe_sym(smcfilter_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(smcfilter_counts_hvc)(handler_regs *regs);
extern bool kvm_nvhe_sym(smcfilter_permissive);
extern bool kvm_nvhe_sym(smcfilter_counting);

static int __init smcfilter_init(void)
{
	unsigned long token;
	int ret;

	kvm_nvhe_sym(smcfilter_permissive) = permissive;
	kvm_nvhe_sym(smcfilter_counting) = counting;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(smcfilter_hyp_init), &token);
	if (ret)
		return ret;
	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(smcfilter_counts_hvc), token);
	if (ret < 0)
		return ret;
	pr_info("smcfilter: %s, hypercall %d\n", permissive ? "permissive" : "enforcing", ret);
	return 0;
}
module_init(smcfilter_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("Lets the host make only the SMCs of a list");
MODULE_LICENSE("GPL");
