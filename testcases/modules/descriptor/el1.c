// SPDX-License-Identifier: GPL-2.0-only
// Shows struct pkvm_el2_module, word by word, as the kernel filled it before the load and after it,
// and where the module's sections lie. Built twice: the second time (WITH_EVENTS) every section that
// the generation knows has something in it.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/version.h>

#include "../handler.h"

int kvm_nvhe_sym(descriptor_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(descriptor_hvc)(handler_regs *regs);
extern u64 kvm_nvhe_sym(descriptor_from_el1);
extern u64 *kvm_nvhe_sym(descriptor_pointer);

/* The build's own symbols; their names are no C names. */
extern char hyp_text[] __asm__("__kvm_nvhe___hyp_section_.hyp.text");
extern char hyp_bss[] __asm__("__kvm_nvhe___hyp_section_.hyp.bss");
extern char hyp_rodata[] __asm__("__kvm_nvhe___hyp_section_.hyp.rodata");
extern char hyp_data[] __asm__("__kvm_nvhe___hyp_section_.hyp.data");

static bool load = true;
module_param(load, bool, 0444);

#if defined(WITH_EVENTS) && LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
/* The EL1 half's view of one event: 72 bytes. */
static u64 event[9] __used __section("_hyp_events");
#endif

static void show(const char *when)
{
	const u64 *word = (const u64 *)&THIS_MODULE->arch.hyp;
	unsigned int i;

	for (i = 0; i < sizeof(THIS_MODULE->arch.hyp) / sizeof(*word); i++)
		pr_info("descriptor %s %u %llx\n", when, i * 8, (unsigned long long)word[i]);
}

static void show_section(const char *name, const char *start)
{
	pr_info("descriptor section %s %lx\n", name, (unsigned long)start);
}

static int __init descriptor_init(void)
{
	unsigned long token = 0;
	int ret;

	show("before");
	if (!load)
		return 0;
	show_section("text", hyp_text);
	show_section("bss", hyp_bss);
	show_section("rodata", hyp_rodata);
	show_section("data", hyp_data);
	kvm_nvhe_sym(descriptor_from_el1) = 0x5eed;
	pr_info("descriptor pointer before %lx\n", (unsigned long)kvm_nvhe_sym(descriptor_pointer));
	ret = pkvm_load_el2_module(kvm_nvhe_sym(descriptor_hyp_init), &token);
	pr_info("descriptor load %d token %lx init %lx\n", ret, token,
		(unsigned long)kvm_nvhe_sym(descriptor_hyp_init));
	if (ret)
		return ret;
	/* Stage 2 is not on yet: EL1 still reaches what it has given away. */
	pr_info("descriptor pointer after %lx\n", (unsigned long)kvm_nvhe_sym(descriptor_pointer));
	pr_info("descriptor data at el2 %lx\n", pkvm_el2_mod_va(hyp_data, token));
	show("after");
	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(descriptor_hvc), token);
	return ret < 0 ? ret : 0;
}
module_init(descriptor_init);

MODULE_DESCRIPTION("Shows what the kernel knows of its EL2 half");
MODULE_LICENSE("GPL");
