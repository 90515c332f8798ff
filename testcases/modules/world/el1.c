// SPDX-License-Identifier: GPL-2.0-only
// Lives in the world that a kernel build compiles EL1 halves for, and says what it finds there; or
// does one thing that it must not (`what`). Compiled with a shadow call stack, kCFI, pac-ret and the
// stack protector, as Android's kernels are.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "../handler.h"
#include "kernel.h"

int kvm_nvhe_sym(world_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(world_hvc)(handler_regs *regs);

static char *what = "look";
module_param(what, charp, 0444);

static u32 hits __percpu_section = 5;
static u32 *const hits_of_nobody = &hits;
extern int cpu_number;
extern u64 __per_cpu_offset[];

static struct static_key off = STATIC_KEY_OFF;
static struct static_key on = STATIC_KEY_ON;
extern struct static_key kvm_protected_mode_initialized;

static u64 register_x18(void)
{
	u64 value;

	asm volatile("mov %0, x18" : "=r"(value));
	return value;
}

static noinline u32 depth(u32 left)
{
	u32 below = 0;

	if (left)
		below = depth(left - 1);
	barrier();
	return below + 1;
}

static noinline void look_at_task(void)
{
	struct thread_info *info = current_info();
	const u64 shadow = register_x18();

	pr_info("world: cpu %u, flags %lx, count %u\n", info->cpu, info->flags, info->preempt.count);
	preempt_disable();
	preempt_disable();
	pr_info("world: preemption disabled %u times\n", info->preempt.count);
	WARN_ON(info->cpu == 0);
	preempt_enable();
	pr_info("world: preemption disabled %u times\n", info->preempt.count);
	preempt_enable();
	pr_info("world: preemption disabled %u times, to be rescheduled %u\n", info->preempt.count,
		!info->preempt.need_resched);
	pr_info("world: same task %u, same shadow stack %u, it is the task's %u\n",
		info == current_info(), shadow == register_x18(),
		shadow - (u64)info->scs_base < 4096);
	pr_info("world: %u calls deep\n", depth(200));
}

static void look_at_per_cpu(void)
{
	unsigned long offset;

	asm volatile("mrs %0, tpidr_el1" : "=r"(offset));
	++*this_cpu_pointer(hits);
	pr_info("world: per-CPU %u, number %u, base is CPU 0's %u\n", *this_cpu_pointer(hits),
		*this_cpu_pointer(cpu_number), __per_cpu_offset[0] == offset);
}

static void show_keys(const char *when)
{
	pr_info("world: %s: off %u, on %u\n", when, static_branch_unlikely(off),
		static_branch_likely(on));
}

static void look_at_keys(void)
{
	show_keys("as they are");
	static_key_enable(&off);
	static_key_disable(&on);
	show_keys("switched");
	static_key_disable(&off);
	static_key_slow_inc(&off);
	static_key_slow_inc(&off);
	static_key_slow_dec(&off);
	show_keys("counted");
	static_key_slow_dec(&off);
	show_keys("counted down");
}

static void look_at_alternatives(void)
{
	pr_info("world: always %u, protected %u and %u, code %u\n",
		capability_likely(CAP_ALWAYS_SYSTEM), capability_likely(CAP_PROTECTED_MODE),
		capability_unlikely(CAP_PROTECTED_MODE), which_code(CAP_PROTECTED_MODE));
	pr_info("world: never %u, code %u, unknown code %u\n",
		capability_unlikely(CAP_DEVICE_LOAD_ACQUIRE), which_code(CAP_DEVICE_LOAD_ACQUIRE),
		which_code(CAP_UNKNOWN));
}

static void look_again(struct work_struct *work)
{
	pr_info("world: later: protected mode initialised %u\n",
		static_branch_unlikely(kvm_protected_mode_initialized));
	look_at_per_cpu();
}
static DECLARE_WORK(again, look_again);

static noinline void smash(u32 count)
{
	volatile char buffer[16];
	volatile char *at = buffer;

	while (count--)
		*at++ = 0x5a;
	asm volatile("" : : "r"(buffer) : "memory");
}

/* Calls without end, one shadow stack entry each. */
static noinline void run_off_the_shadow_stack(void)
{
	asm volatile("1: str x30, [x18], #8\n b 1b" : : : "memory");
}

/* A return address, signed as functions do, and authenticated. */
static noinline void look_at_signatures(void)
{
	u64 plain, is_signed, again;

	asm volatile("mov %0, x30\n hint #25\n mov %1, x30\n hint #29\n mov %2, x30"
		     : "=r"(plain), "=r"(is_signed), "=r"(again));
	pr_info("world: signed %u, authenticated %u\n", plain != is_signed, plain == again);
}

/* A return address that changes while it is signed. */
__attribute__((naked)) static void return_elsewhere(void)
{
	asm volatile("hint #25\n eor x30, x30, #0x100\n hint #29\n ret");
}

static int a_thread(void *data)
{
	return data != NULL;
}

static noinline void call_as_work(void *function)
{
	((work_func_t)function)(&again);
}

static noinline void trip(void)
{
	BUG_ON(what[0] == 'b');
}

static bool is(const char *name)
{
	return strcmp(what, name) == 0;
}

static int load_el2(void)
{
	unsigned long token;
	int error = pkvm_load_el2_module(kvm_nvhe_sym(world_hyp_init), &token);

	if (error)
		return error;
	error = pkvm_register_el2_mod_call(kvm_nvhe_sym(world_hvc), token);
	return error < 0 ? error : 0;
}

static int world_init(void)
{
	if (is("smash"))
		smash(64);
	if (is("shadow"))
		run_off_the_shadow_stack();
	if (is("type"))
		call_as_work(a_thread);
	if (is("nothing"))
		call_as_work((void *)0x1000);
	if (is("return"))
		return_elsewhere();
	if (is("bug"))
		trip();
	if (is("per-cpu"))
		pr_info("world: %u\n", READ_ONCE(*hits_of_nobody));
	look_at_task();
	look_at_signatures();
	look_at_per_cpu();
	look_at_keys();
	look_at_alternatives();
	if (is("late"))
		return 0;
	schedule_work(&again);
	return load_el2();
}
module_init(world_init);

MODULE_DESCRIPTION("Looks at the world around EL1 code");
MODULE_LICENSE("GPL");
