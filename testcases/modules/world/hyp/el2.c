// SPDX-License-Identifier: GPL-2.0-only
// EL2 code with alternatives, a BUG, and a call of the wrong type.
#include <asm/kvm_pkvm_module.h>
#include <linux/bug.h>

#include "../../handler.h"
#include "../kernel.h"

int world_hyp_init(const struct pkvm_module_ops *ops)
{
	return 0;
}

/* A counter's increment as a kernel for any CPU has it: exclusives, or one instruction. */
static u64 increment(u64 *counter)
{
	u64 one = 1, old, sum;
	u32 failed;

#ifdef CAP_LSE_ATOMICS
#define ATOMIC_CAP CAP_LSE_ATOMICS
#else
#define ATOMIC_CAP CAP_DEVICE_LOAD_ACQUIRE
#endif
	asm volatile(".arch_extension lse\n" __ALTERNATIVE("1: ldxr %0, %3\n"
							    "	add %1, %0, %4\n"
							    "	stxr %w2, %1, %3\n"
							    "	cbnz %w2, 1b",
							    "ldadd %4, %0, %3\n"
							    "	nop\n"
							    "	nop\n"
							    "	nop",
							    "%c5")
		     : "=&r"(old), "=&r"(sum), "=&r"(failed), "+Q"(*counter)
		     : "r"(one), "i"(ATOMIC_CAP));
	return old;
}

static u64 counter = 41;

static int never_called(u64 a, u64 b)
{
	return a == b;
}

/* So that the compiler does not see whom it calls. */
static void *volatile of_another_type = never_called;

static noinline void call_as_handler(void *function, handler_regs *regs)
{
	((void (*)(handler_regs *))function)(regs);
}

/* x1: 0 the alternatives, 1 a call of the wrong type, 2 a BUG. */
void world_hvc(handler_regs *regs)
{
	u64 *x = (u64 *)regs; /* either structure begins with x0 to x30 */

	x[0] = 0;
	switch (x[1]) {
	case 0:
		increment(&counter);
		x[2] = which_code(CAP_DEVICE_LOAD_ACQUIRE);
		x[3] = which_code(CAP_UNKNOWN);
		x[1] = counter;
		break;
	case 1:
		call_as_handler(of_another_type, regs);
		break;
	case 2:
		BUG();
	}
}
