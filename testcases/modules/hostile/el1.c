// SPDX-License-Identifier: GPL-2.0-only
// An init that does harm to its kernel, in the way that the parameter names.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *deed = "nothing";
module_param(deed, charp, 0);

static unsigned char not_code[64] = { 0xff };

static int do_loop(void)
{
	for (;;)
		asm volatile("" ::: "memory");
}

static noinline int do_recurse(int depth)
{
	volatile char frame[512];

	if (depth < 0)
		return 0;
	frame[depth % sizeof(frame)] = 1;
	return do_recurse(depth + 1) + frame[depth % sizeof(frame)];
}

static int do_recursion(void)
{
	return do_recurse(0);
}

static int do_huge_allocation(void)
{
	return kmalloc(1UL << 40, GFP_KERNEL) ? 0 : -ENOMEM;
}

static int do_all_memory(void)
{
	while (kmalloc(4096, GFP_KERNEL))
		;
	return -ENOMEM;
}

static int do_kernel_text(void)
{
	memset((void *)&_printk, 0, 4096);
	return 0;
}

static int do_stack(void)
{
	memset(__builtin_frame_address(0), 0xff, 1UL << 16);
	return 0;
}

static int do_null_write(void)
{
	WRITE_ONCE(*(unsigned long *)8, 1);
	return 0;
}

static int do_null_call(void)
{
	int (*volatile nowhere)(void) = NULL;

	return nowhere();
}

static int do_data_call(void)
{
	int (*volatile data)(void) = (int (*)(void))(void *)not_code;

	return data();
}

static int do_undefined(void)
{
	asm volatile(".word 0");
	return 0;
}

static int do_break(void)
{
	asm volatile("brk #0x123");
	return 0;
}

static int do_wait(void)
{
	asm volatile("msr daifset, #15");
	for (;;)
		asm volatile("wfi");
}

static int do_mmu_off(void)
{
	asm volatile("msr sctlr_el1, xzr; isb");
	return 0;
}

static int do_bad_vectors(void)
{
	asm volatile("msr vbar_el1, xzr; isb; .word 0");
	return 0;
}

static int do_bad_call(void)
{
	register unsigned long x0 asm("x0") = ~0UL;
	register unsigned long x1 asm("x1") = ~0UL;

	asm volatile("hvc #0" : "+r"(x0), "+r"(x1)::"x2", "x3", "memory");
	return (int)x0;
}

static const struct {
	const char *name;
	int (*run)(void);
} deeds[] = {
	{ "loop", do_loop },
	{ "recursion", do_recursion },
	{ "huge-allocation", do_huge_allocation },
	{ "all-memory", do_all_memory },
	{ "kernel-text", do_kernel_text },
	{ "stack", do_stack },
	{ "null-write", do_null_write },
	{ "null-call", do_null_call },
	{ "data-call", do_data_call },
	{ "undefined", do_undefined },
	{ "break", do_break },
	{ "wait", do_wait },
	{ "mmu-off", do_mmu_off },
	{ "bad-vectors", do_bad_vectors },
	{ "bad-call", do_bad_call },
};

static int __init hostile_init(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (!strcmp(deed, deeds[i].name))
			return deeds[i].run();
	return -EINVAL;
}
module_init(hostile_init);

MODULE_DESCRIPTION("An init that harms its kernel");
MODULE_LICENSE("GPL");
