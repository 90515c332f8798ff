// SPDX-License-Identifier: GPL-2.0-only
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "../handler.h"
#include "events.h"

int kvm_nvhe_sym(events_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(events_hvc)(handler_regs *regs);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
static struct trace_event_fields sum_fields[] = {
	{ .type = "u64", .name = "a", .size = 8, .align = 8 },
	{ .type = "u32", .name = "b", .size = 4, .align = 4 },
	{ .type = "s32", .name = "difference", .size = 4, .align = 4, .is_signed = 1 },
	{},
};
static struct trace_event_fields mark_fields[] = {
	{ .type = "u8", .name = "number", .size = 1, .align = 1 },
	{},
};

/* The second format computes: only its fields can be shown. */
static struct hyp_event events[] __attribute__((section("_hyp_events"), used)) = {
	{ .name = "sum",
	  .print_fmt = "\"a=0x%08llx b=%u d=%d\", REC->a, REC->b, REC->difference",
	  .fields = sum_fields },
	{ .name = "mark", .print_fmt = "\"twice %d\", REC->number * 2", .fields = mark_fields },
};
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
static const char formats[][128] __attribute__((section(".hyp.printk_fmts"), used)) = {
	"zero %llx",
	"one %llu: 0x%llx %llx %llx",
};
#endif

static int __init events_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(events_hyp_init), &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(events_hvc), token);
	pr_info("events: hypercall %d\n", ret);
	return ret < 0 ? ret : 0;
}
module_init(events_init);

MODULE_DESCRIPTION("Writes hyp trace events");
MODULE_LICENSE("GPL");
