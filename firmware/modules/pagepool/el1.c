// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: says what memory there is, loads, and, when asked to, fills a pool with pages of its
// own and takes them back some time later.
#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "pagepool.h"

static unsigned long long memory_size = SZ_1G;
module_param(memory_size, ullong, 0444);
MODULE_PARM_DESC(memory_size, "Bytes of RAM, from its start, that a pool may be made of");

static unsigned int pages;
module_param(pages, uint, 0444);
MODULE_PARM_DESC(pages, "Pages to fill a pool with at once");

static unsigned int hold_ms;
module_param(hold_ms, uint, 0444);
MODULE_PARM_DESC(hold_ms, "Milliseconds after which that pool is drained; 0: never");

int kvm_nvhe_sym(pagepool_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(pagepool_share_hvc)(handler_regs *regs);
void kvm_nvhe_sym(pagepool_unshare_hvc)(handler_regs *regs);
void kvm_nvhe_sym(pagepool_fill_hvc)(handler_regs *regs);
void kvm_nvhe_sym(pagepool_drain_hvc)(handler_regs *regs);
extern u64 kvm_nvhe_sym(pagepool_first_pfn);
extern u64 kvm_nvhe_sym(pagepool_end_pfn);

enum { SHARE, UNSHARE, FILL, DRAIN, CALLS };
static int calls[CALLS];

/* The pages of our own pool. */
static void **held;

static int __init register_calls(unsigned long token)
{
	const dyn_hcall_t functions[CALLS] = {
		[SHARE] = kvm_nvhe_sym(pagepool_share_hvc),
		[UNSHARE] = kvm_nvhe_sym(pagepool_unshare_hvc),
		[FILL] = kvm_nvhe_sym(pagepool_fill_hvc),
		[DRAIN] = kvm_nvhe_sym(pagepool_drain_hvc),
	};
	unsigned int i;

	for (i = 0; i < CALLS; i++) {
		calls[i] = pkvm_register_el2_mod_call(functions[i], token);
		if (calls[i] < 0)
			return calls[i];
	}
	return 0;
}

static void free_held(void)
{
	unsigned int i;

	for (i = 0; i < pages; i++)
		if (held[i])
			free_page((unsigned long)held[i]);
	kfree(held);
	held = NULL;
}

static int alloc_held(u64 *list)
{
	unsigned int i;

	held = kcalloc(pages, sizeof(*held), GFP_KERNEL);
	if (!held)
		return -ENOMEM;
	for (i = 0; i < pages; i++) {
		held[i] = (void *)__get_free_page(GFP_KERNEL);
		if (!held[i])
			return -ENOMEM;
		memset(held[i], 0x5a, PAGE_SIZE);
		list[i] = pool_entry(virt_to_pfn(held[i]), 0);
	}
	return 0;
}

/* The list is shared for this call alone. */
static int hand_over(const u64 *list)
{
	const u64 pfn = virt_to_pfn(list);
	int ret, unshared;

	ret = (int)pkvm_el2_mod_call(calls[SHARE], pfn);
	if (ret)
		return ret;
	ret = (int)pkvm_el2_mod_call(calls[FILL], pfn, pages);
	unshared = (int)pkvm_el2_mod_call(calls[UNSHARE], pfn);
	WARN_ON(unshared);
	return ret;
}

static void drain(struct work_struct *work)
{
	const int ret = (int)pkvm_el2_mod_call(calls[DRAIN]);
	unsigned int i, zeroed = 0;

	/* A page that did not come back is the hypervisor's: whoever touched it would fault. */
	if (ret) {
		pr_err("pagepool: not drained: %d\n", ret);
		return;
	}
	for (i = 0; i < pages; i++)
		zeroed += !memchr_inv(held[i], 0, PAGE_SIZE);
	pr_info("pagepool: %u of %u pages came back zeroed\n", zeroed, pages);
	free_held();
}
static DECLARE_DELAYED_WORK(drain_work, drain);

static int fill(void)
{
	u64 *list = (u64 *)get_zeroed_page(GFP_KERNEL);
	int ret;

	if (!list)
		return -ENOMEM;
	ret = alloc_held(list);
	if (!ret)
		ret = hand_over(list);
	free_page((unsigned long)list);
	if (ret && held)
		free_held();
	if (ret)
		return ret;

	pr_info("pagepool: filled with %u pages\n", pages);
	if (hold_ms)
		schedule_delayed_work(&drain_work, msecs_to_jiffies(hold_ms));
	return 0;
}

static int __init pagepool_init(void)
{
	unsigned long token;
	int ret;

	if (pages > POOL_LIST_ENTRIES)
		return -EINVAL;
	kvm_nvhe_sym(pagepool_first_pfn) = PHYS_PFN(PHYS_OFFSET);
	kvm_nvhe_sym(pagepool_end_pfn) = PHYS_PFN(PHYS_OFFSET + memory_size);

	ret = pkvm_load_el2_module(kvm_nvhe_sym(pagepool_hyp_init), &token);
	if (ret)
		return ret;
	ret = register_calls(token);
	if (ret)
		return ret;
	pr_info("pagepool: hypercalls %d to %d\n", calls[SHARE], calls[DRAIN]);

	ret = pages ? fill() : 0;
	if (ret)
		pr_err("pagepool: not filled: %d\n", ret);
	return ret;
}
module_init(pagepool_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("A pool of pages that the host has given away");
MODULE_LICENSE("GPL");
