// SPDX-License-Identifier: GPL-2.0-only
// The mistake: EL2's bool is declared as an int, and the store of four bytes reaches the variable
// behind it. No linker compares types.
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

int kvm_nvhe_sym(smcfilter_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(smcfilter_counts_hvc)(handler_regs *regs);
extern bool kvm_nvhe_sym(smcfilter_counting);
extern int kvm_nvhe_sym(smcfilter_permissive);

static int __init wideflag_init(void)
{
	unsigned long token;
	int ret;

	/* To the compiler these are two variables, and their order nobody's concern. */
	WRITE_ONCE(kvm_nvhe_sym(smcfilter_counting), true);
	WRITE_ONCE(kvm_nvhe_sym(smcfilter_permissive), permissive);

	ret = pkvm_load_el2_module(kvm_nvhe_sym(smcfilter_hyp_init), &token);
	if (ret)
		return ret;
	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(smcfilter_counts_hvc), token);
	return ret < 0 ? ret : 0;
}
module_init(wideflag_init);

MODULE_DESCRIPTION("A filter whose halves disagree about a type");
MODULE_LICENSE("GPL");
