// SPDX-License-Identifier: GPL-2.0-only
// Parameters say what this half provokes once its EL2 half is loaded.
#include <asm/kvm_host.h>
#include <asm/kvm_pkvm_module.h>
#include <asm/sysreg.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "../handler.h"
#include "operations.h"

int kvm_nvhe_sym(system_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(system_hvc)(handler_regs *regs);

/* Pages to donate to the hypervisor's heap. */
static unsigned int topup;
/* Traps a write to a register of EL1: handler that EL2 has for it, or -1. */
static int trap = -1;
/* An SMC with all of x1 to x17. */
static bool smc;
/* SMCs whose handler looks at ELR_EL2, and one that changes it. */
static bool elr;

/* Bits of HCR_EL2 to set. */
static unsigned long hcr;
/* Registers a NULL handler. */
static bool null;
/* Calls with another immediate than 0 in the instruction. */
static bool immediate;

/* Three pages for an allocator of the hypervisor's, by a function of the kernel's: 1 ..._mgt_gfp,
 * 2 ..._mgt, 3 ..._mgt_mc; 4 fills a memcache and empties it again. */
static unsigned int refill;
static unsigned long refill_id;

module_param(topup, uint, 0444);
module_param(refill, uint, 0444);
module_param(refill_id, ulong, 0444);
module_param(trap, int, 0444);
module_param(smc, bool, 0444);
module_param(elr, bool, 0444);
module_param(null, bool, 0444);
module_param(immediate, bool, 0444);
module_param(hcr, ulong, 0444);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define REFILL_PAGES 3

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
static int refill_by_memcache(void)
{
	struct kvm_hyp_memcache mc = {};
	int ret = topup_hyp_memcache(&mc, REFILL_PAGES, 0);

	if (!ret)
		ret = __pkvm_topup_hyp_alloc_mgt_mc(refill_id, &mc);
	pr_info("system: %lu pages left in the memcache\n", mc.nr_pages);
	return ret;
}

/* The second time there are enough. */
static int fill_and_empty(void)
{
	struct kvm_hyp_memcache mc = {};
	int ret = topup_hyp_memcache(&mc, REFILL_PAGES, 0);

	if (!ret)
		ret = topup_hyp_memcache(&mc, REFILL_PAGES - 1, 0);
	pr_info("system: %lu pages in the memcache\n", mc.nr_pages);
	free_hyp_memcache(&mc);
	pr_info("system: %lu pages left in the memcache\n", mc.nr_pages);
	return ret;
}

static int refill_by_function(void)
{
	switch (refill) {
	case 1:
		return __pkvm_topup_hyp_alloc_mgt_gfp(refill_id, REFILL_PAGES, PAGE_SIZE, GFP_KERNEL);
	case 2:
		return __pkvm_topup_hyp_alloc_mgt(refill_id, REFILL_PAGES, PAGE_SIZE);
	case 3:
		return refill_by_memcache();
	default:
		return fill_and_empty();
	}
}
#else
static int refill_by_function(void)
{
	return __pkvm_topup_hyp_alloc_mgt_gfp(refill_id, REFILL_PAGES, PAGE_SIZE, GFP_KERNEL);
}
#endif

/* The page that the kernel would give out next. */
static unsigned long next_page(void)
{
	const unsigned long page = __get_free_page(GFP_KERNEL);

	free_page(page);
	return page;
}

static void refill_allocator(void)
{
	const unsigned long before = next_page();
	const int ret = refill_by_function();

	pr_info("system: refill %d, the next page is %s\n", ret,
		next_page() == before ? "the same" : "another");
}
#else
static void refill_allocator(void)
{
}
#endif

static void provoke_trap(int number)
{
	const u64 hcr_tvm = BIT(26);

	if (trap != SYSTEM_HANDLERS)
		pkvm_el2_mod_call(number, SYSTEM_REGISTER, trap);
	pkvm_el2_mod_call(number, SYSTEM_HCR, hcr_tvm, 0);
	write_sysreg(0x1234, contextidr_el1);
	pkvm_el2_mod_call(number, SYSTEM_HCR, 0, hcr_tvm);
	pr_info("system: trapped %lu times\n", pkvm_el2_mod_call(number, SYSTEM_COUNT, trap));
}

/* x8 to x17 are what the calls of the command line do not show. */
static void issue_smc(int number)
{
	u64 x[18];
	int i;

	pkvm_el2_mod_call(number, SYSTEM_REGISTER, SYSTEM_SMC);
	for (i = 0; i < 18; i++)
		x[i] = 0x100 + i;
	x[0] = 0xc2000012;
	__asm__ volatile("mov x19, %0\n"
			 "ldp x0, x1, [x19]\n"
			 "ldp x2, x3, [x19, #16]\n"
			 "ldp x4, x5, [x19, #32]\n"
			 "ldp x6, x7, [x19, #48]\n"
			 "ldp x8, x9, [x19, #64]\n"
			 "ldp x10, x11, [x19, #80]\n"
			 "ldp x12, x13, [x19, #96]\n"
			 "ldp x14, x15, [x19, #112]\n"
			 "ldp x16, x17, [x19, #128]\n"
			 "smc #0\n"
			 "stp x0, x1, [x19]\n"
			 "stp x2, x3, [x19, #16]\n"
			 "stp x4, x5, [x19, #32]\n"
			 "stp x6, x7, [x19, #48]\n"
			 "stp x8, x9, [x19, #64]\n"
			 "stp x10, x11, [x19, #80]\n"
			 "stp x12, x13, [x19, #96]\n"
			 "stp x14, x15, [x19, #112]\n"
			 "stp x16, x17, [x19, #128]\n"
			 :
			 : "r"(x)
			 : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
			   "x12", "x13", "x14", "x15", "x16", "x17", "x19", "memory");
	for (i = 0; i < 18; i++)
		pr_info("system: smc x%d 0x%llx\n", i, x[i]);
}

/* Whether the handler found ELR_EL2 at the SMC, and which of the two instructions behind it ran. */
static void issue_smc_at(unsigned long id)
{
	unsigned long at, seen, first, second;

	__asm__ volatile("mov x0, %[id]\n"
			 "mov x1, #0\n"
			 "adr %[at], 1f\n"
			 "mov %[first], #0\n"
			 "mov %[second], #0\n"
			 "1: smc #0\n"
			 "mov %[first], #1\n"
			 "mov %[second], #1\n"
			 "mov %[seen], x1\n"
			 : [at] "=&r"(at), [seen] "=&r"(seen), [first] "=&r"(first),
			   [second] "=&r"(second)
			 : [id] "r"(id)
			 : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
			   "x12", "x13", "x14", "x15", "x16", "x17", "memory");
	pr_info("system: smc %lx elr %d then %lu %lu\n", id, at == seen, first, second);
}

/* The same call by HVC #0 and by HVC #0xbeef: x0 and x1 of both. */
static void compare_immediates(int number)
{
	struct arm_smccc_res plain, other;

	arm_smccc_1_1_hvc(KVM_HOST_SMCCC_ID(number), SYSTEM_READ_HCR, &plain);
	{
		register unsigned long x0 __asm__("x0") = KVM_HOST_SMCCC_ID(number);
		register unsigned long x1 __asm__("x1") = SYSTEM_READ_HCR;

		__asm__ volatile("hvc #0xbeef" : "+r"(x0), "+r"(x1) : : "x2", "x3", "memory");
		other.a0 = x0;
		other.a1 = x1;
	}
	pr_info("system: immediate x0 %lx same %d\n", other.a0,
		plain.a0 == other.a0 && plain.a1 == other.a1);
}

static int __init system_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(system_hyp_init), &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(system_hvc), token);
	pr_info("system: hypercall %d\n", ret);
	if (ret < 0)
		return ret;
	if (topup)
		pr_info("system: topup %d\n", __pkvm_topup_hyp_alloc(topup));
	if (refill)
		refill_allocator();
	if (null)
		pr_info("system: null handler %d\n", __pkvm_register_el2_call(0));
	if (immediate)
		compare_immediates(ret);
	if (hcr)
		pkvm_el2_mod_call(ret, SYSTEM_HCR, hcr, 0);
	if (trap >= 0)
		provoke_trap(ret);
	if (smc)
		issue_smc(ret);
	if (elr) {
		pkvm_el2_mod_call(ret, SYSTEM_REGISTER, SYSTEM_SMC);
		issue_smc_at(0xc2000014);
		issue_smc_at(0xc2000015);
	}
	return 0;
}
module_init(system_init);

MODULE_DESCRIPTION("Offers what is left of pKVM's operations as hypercalls");
MODULE_LICENSE("GPL");
