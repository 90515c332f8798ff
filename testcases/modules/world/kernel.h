/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What inline functions of a kernel's headers make of the machine, in our own words: the task at
 * SP_EL0, per-CPU addresses, static keys, alternatives. The records have the kernel's form.
 */
#pragma once

#include <generated/kmi.h>
#include <linux/types.h>
#include <linux/version.h>

struct thread_info {
	unsigned long flags;
	u64 ttbr0;
	union {
		u64 preempt_count;
		struct {
			u32 count;
			u32 need_resched;
		} preempt;
	};
	void *scs_base;
	void *scs_sp;
	u32 cpu;
};

static __always_inline struct thread_info *current_info(void)
{
	struct thread_info *info;

	asm("mrs %0, sp_el0" : "=r"(info));
	return info;
}

extern void preempt_schedule(void);

static __always_inline void preempt_disable(void)
{
	WRITE_ONCE(current_info()->preempt.count, READ_ONCE(current_info()->preempt.count) + 1);
	barrier();
}

static __always_inline void preempt_enable(void)
{
	u64 count = READ_ONCE(current_info()->preempt_count);

	barrier();
	WRITE_ONCE(current_info()->preempt.count, (u32)--count);
	if (!count || !READ_ONCE(current_info()->preempt_count))
		preempt_schedule();
}

/* A CPU's copy of a variable in .data..percpu. */
#define __percpu_section __section(".data..percpu")
#define this_cpu_pointer(variable)                                        \
	({                                                                \
		unsigned long __offset;                                   \
		asm volatile("mrs %0, tpidr_el1" : "=r"(__offset));       \
		(typeof(variable) *)((unsigned long)&(variable) + __offset); \
	})

struct static_key {
	atomic_t enabled;
	unsigned long type;
};
#define STATIC_KEY_OFF { { 0 }, 0 }
#define STATIC_KEY_ON { { 1 }, 1 }

extern void static_key_enable(struct static_key *key);
extern void static_key_disable(struct static_key *key);
extern void static_key_slow_inc(struct static_key *key);
extern void static_key_slow_dec(struct static_key *key);

#define __JUMP(first, key, inverted, label)                              \
	asm goto("1: " first "\n"                                        \
		 "	.pushsection __jump_table, \"aw\"\n"             \
		 "	.align 3\n"                                      \
		 "	.long 1b - ., %l[" #label "] - .\n"              \
		 "	.quad %c0 - .\n"                                 \
		 "	.popsection"                                     \
		 :                                                       \
		 : "i"(&((char *)&(key))[inverted])                      \
		 :                                                       \
		 : label)
/* For a key that is usually off, and for one that is usually on. */
#define static_branch_unlikely(key)            \
	({                                     \
		__label__ yes, done;           \
		bool __on = false;             \
		__JUMP("nop", key, 0, yes);    \
		goto done;                     \
	yes:                                   \
		__on = true;                   \
	done:                                  \
		__on;                          \
	})
#define static_branch_likely(key)                   \
	({                                          \
		__label__ no, done;                 \
		bool __on = true;                   \
		__JUMP(__KEY_FIRST(key), key, 1, no); \
		goto done;                          \
	no:                                         \
		__on = false;                       \
	done:                                       \
		__on;                               \
	})
#define __KEY_FIRST(key) "nop"

/* Numbers of capabilities, as this generation's kernels have them. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define CAP_PROTECTED_MODE 40
#define CAP_DEVICE_LOAD_ACQUIRE 77
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define CAP_PROTECTED_MODE 51
#define CAP_DEVICE_LOAD_ACQUIRE 91
#define CAP_LSE_ATOMICS 33
#else
#define CAP_PROTECTED_MODE 55
#define CAP_DEVICE_LOAD_ACQUIRE 97
#define CAP_LSE_ATOMICS 37
#endif
#define CAP_ALWAYS_SYSTEM 1
#define CAP_UNKNOWN 0x7abc

#define __ALTERNATIVE(first, other, capability)                \
	"661:	" first "\n"                                   \
	"662:\n"                                               \
	"	.pushsection .altinstructions, \"a\"\n"        \
	"	.word 661b - ., 663f - .\n"                    \
	"	.hword " capability "\n"                       \
	"	.byte 662b - 661b, 664f - 663f\n"              \
	"	.popsection\n"                                 \
	"	.subsection 1\n"                               \
	"663:	" other "\n"                                   \
	"664:\n"                                               \
	"	.previous\n"

/* Whether the kernel has a capability, where it usually has: NOPs replace the branch. */
#define capability_likely(number)                                     \
	({                                                            \
		__label__ no, done;                                   \
		bool __has = true;                                    \
		asm goto("661:	b %l[no]\n"                           \
			 "662:\n"                                     \
			 "	.pushsection .altinstructions, \"a\"\n" \
			 "	.word 661b - ., alt_cb_patch_nops - .\n" \
			 "	.hword 0x8000 | %c0\n"                \
			 "	.byte 662b - 661b, 0\n"               \
			 "	.popsection"                          \
			 :                                            \
			 : "i"(number)                                \
			 :                                            \
			 : no);                                       \
		goto done;                                            \
	no:                                                           \
		__has = false;                                        \
	done:                                                         \
		__has;                                                \
	})
/* Where it usually has not: a branch replaces the NOP. */
#define capability_unlikely(number)                                              \
	({                                                                       \
		__label__ yes, done;                                             \
		bool __has = false;                                              \
		asm goto(__ALTERNATIVE("nop", "b %l[yes]", "%c0") : : "i"(number) : : yes); \
		goto done;                                                       \
	yes:                                                                     \
		__has = true;                                                    \
	done:                                                                    \
		__has;                                                           \
	})
/* 1 with the first code, 2 with the other. */
#define which_code(number)                                                            \
	({                                                                            \
		u32 __which;                                                          \
		asm volatile(__ALTERNATIVE("mov %w0, #1\n nop", "mov %w0, #2\n nop", "%c1") \
			     : "=r"(__which)                                          \
			     : "i"(number));                                          \
		__which;                                                              \
	})
