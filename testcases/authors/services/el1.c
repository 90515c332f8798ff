// SPDX-License-Identifier: GPL-2.0-only
// The kernel half: parameters, the load, the calls, and a page that EL2 reads.
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <asm/kvm_host.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pkvm_module.h>
#include <linux/arm-smccc.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "services.h"

int kvm_nvhe_sym(services_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(services_hvc)(handler_regs *regs);
extern u64 kvm_nvhe_sym(services_factor);

static unsigned int factor = SERVICES_VERSION;
module_param(factor, uint, 0444);
MODULE_PARM_DESC(factor, "What the first service multiplies with");

static char *label = "none";
module_param(label, charp, 0444);

static bool quiet;
module_param_named(silent, quiet, bool, 0);

static int marks[4];
static int mark_count;
module_param_array(marks, int, &mark_count, 0444);

int services_hvc_number;

static struct page *filled_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

	if (!page)
		return ERR_PTR(-ENOMEM);
	memset(page_address(page), 2, 21);
	return page;
}

static int call_services(void)
{
	struct page *page = filled_page();
	struct arm_smccc_res res;

	if (IS_ERR(page))
		return PTR_ERR(page);
	pr_info("scale %lu\n", pkvm_el2_mod_call(services_hvc_number, SERVICE_SCALE, 14));
	pr_info("checksum %lu\n", pkvm_el2_mod_call(services_hvc_number, SERVICE_CHECKSUM,
						     page_to_phys(page), 64));
	arm_smccc_1_1_hvc(KVM_HOST_SMCCC_ID(services_hvc_number), SERVICE_COUNT, &res);
	pr_info("count %ld %lu\n", (long)res.a0, res.a1);
	arm_smccc_1_1_hvc(KVM_HOST_SMCCC_ID(services_hvc_number), SERVICE_COUNT + 1, &res);
	pr_info("unknown service %s\n",
		(int)res.a0 == SMCCC_RET_NOT_SUPPORTED ? "refused" : "answered");
	__free_page(page);
	return 0;
}

static int __init services_init(void)
{
	unsigned long token;
	int i, ret;

	pr_info("label '%s', silent %d\n", label, quiet);
	for (i = 0; i < mark_count; i++)
		pr_info("mark %d\n", marks[i]);
	ret = services_try_library();
	if (ret)
		return ret;

	kvm_nvhe_sym(services_factor) = factor;
	ret = pkvm_load_el2_module(kvm_nvhe_sym(services_hyp_init), &token);
	if (ret)
		return ret;
	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(services_hvc), token);
	if (ret < 0)
		return ret;
	services_hvc_number = ret;
	ret = call_services();
	return ret ?: services_start_later();
}

static void __exit services_exit(void)
{
	services_stop_later();
}

module_init(services_init);
module_exit(services_exit);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("Uses what the SDK promises");
MODULE_VERSION("1.0");
MODULE_LICENSE("GPL v2");
