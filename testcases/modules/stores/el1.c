// SPDX-License-Identifier: GPL-2.0-only
// A kernel that stores to a physical address in every way that a compiler knows, one way a run, once
// the host has given up its privileges.
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/workqueue.h>

static unsigned long long at;
module_param(at, ullong, 0444);
static unsigned long long value;
module_param(value, ullong, 0444);
static char *way = "";
module_param(way, charp, 0444);

struct way {
	const char *name;
	unsigned long (*store)(unsigned long base);
};

/* Each gets the address in `base` and answers what is in that register afterwards. */
#define WAY(function, instruction)                                                      \
	static unsigned long function(unsigned long base)                               \
	{                                                                               \
		__asm__ volatile(instruction                                            \
				 : "+r"(base)                                           \
				 : "r"(value), "r"(0x10UL), "r"(base - 0x10)            \
				 : "memory");                                           \
		return base;                                                            \
	}
WAY(str_w, "str %w1, [%0]")
WAY(str_x, "str %1, [%0]")
WAY(stur_x, "sub %0, %0, #3\n\tstur %1, [%0, #3]")
WAY(post_w, "str %w1, [%0], #-12")
WAY(post_x, "str %1, [%0], #24")
WAY(pre_x, "sub %0, %0, #16\n\tstr %1, [%0, #16]!")
WAY(register_x, "str %1, [%3, %2]")
WAY(stlr_w, "stlr %w1, [%0]")
WAY(stlr_x, "stlr %1, [%0]")
WAY(zero_x, "str xzr, [%0]")
WAY(str_b, "strb %w1, [%0]")
WAY(str_h, "strh %w1, [%0]")
WAY(stp_x, "stp %1, %1, [%0]")

static const struct way ways[] = {
	{ "str_w", str_w },   { "str_x", str_x },     { "stur_x", stur_x }, { "post_w", post_w },
	{ "post_x", post_x }, { "pre_x", pre_x },     { "register_x", register_x },
	{ "stlr_w", stlr_w }, { "stlr_x", stlr_x },   { "zero_x", zero_x }, { "str_b", str_b },
	{ "str_h", str_h },   { "stp_x", stp_x },    
};

static const struct way *wanted(void)
{
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		for (k = 0; way[k] && way[k] == ways[i].name[k]; k++)
			;
		if (way[k] == ways[i].name[k])
			return &ways[i];
	}
	return NULL;
}

static void store(struct work_struct *work)
{
	const unsigned long base = (unsigned long)__va(at);
	const unsigned long after = wanted()->store(base);

	pr_info("stores: %s done, base moved by %ld\n", way, (long)(after - base));
}
static DECLARE_DELAYED_WORK(store_work, store);

static int __init stores_init(void)
{
	if (!wanted())
		return -EINVAL;
	schedule_delayed_work(&store_work, 1);
	return 0;
}
module_init(stores_init);

MODULE_DESCRIPTION("Stores in every way");
MODULE_LICENSE("GPL");
