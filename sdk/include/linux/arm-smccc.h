/* SPDX-License-Identifier: GPL-2.0-only */
/* SMC Calling Convention (Arm DEN 0028): function ids, results, and calls from C. */
#pragma once

#include <linux/compiler.h>
#include <linux/types.h>

#define ARM_SMCCC_STD_CALL 0UL
#define ARM_SMCCC_FAST_CALL 1UL
#define ARM_SMCCC_TYPE_SHIFT 31
#define ARM_SMCCC_SMC_32 0
#define ARM_SMCCC_SMC_64 1
#define ARM_SMCCC_CALL_CONV_SHIFT 30
#define ARM_SMCCC_OWNER_MASK 0x3F
#define ARM_SMCCC_OWNER_SHIFT 24
#define ARM_SMCCC_FUNC_MASK 0xFFFF

#define ARM_SMCCC_OWNER_ARCH 0
#define ARM_SMCCC_OWNER_CPU 1
#define ARM_SMCCC_OWNER_SIP 2
#define ARM_SMCCC_OWNER_OEM 3
#define ARM_SMCCC_OWNER_STANDARD 4
#define ARM_SMCCC_OWNER_STANDARD_HYP 5
#define ARM_SMCCC_OWNER_VENDOR_HYP 6
#define ARM_SMCCC_OWNER_TRUSTED_OS 50

#define ARM_SMCCC_IS_FAST_CALL(id) ((id) & (ARM_SMCCC_FAST_CALL << ARM_SMCCC_TYPE_SHIFT))
#define ARM_SMCCC_FUNC_NUM(id) ((id)&ARM_SMCCC_FUNC_MASK)
#define ARM_SMCCC_OWNER_NUM(id) (((id) >> ARM_SMCCC_OWNER_SHIFT) & ARM_SMCCC_OWNER_MASK)
#define ARM_SMCCC_CALL_VAL(type, convention, owner, number)                         \
	(((type) << ARM_SMCCC_TYPE_SHIFT) | ((convention) << ARM_SMCCC_CALL_CONV_SHIFT) | \
	 (((owner)&ARM_SMCCC_OWNER_MASK) << ARM_SMCCC_OWNER_SHIFT) |                      \
	 ((number)&ARM_SMCCC_FUNC_MASK))

#define SMCCC_RET_SUCCESS 0
#define SMCCC_RET_NOT_SUPPORTED -1
#define SMCCC_RET_NOT_REQUIRED -2
#define SMCCC_RET_INVALID_PARAMETER -3

struct arm_smccc_res {
	unsigned long a0;
	unsigned long a1;
	unsigned long a2;
	unsigned long a3;
};

struct arm_smccc_1_2_regs {
	unsigned long a0, a1, a2, a3, a4, a5, a6, a7, a8;
	unsigned long a9, a10, a11, a12, a13, a14, a15, a16, a17;
};

/*
 * One call with x0..x7 set, for one of the two instructions. The callee answers in x0..x3 and keeps
 * x4..x17 (SMCCC 1.1). Arguments that the caller does not give are 0.
 */
#define __ARM_SMCCC_DEFINE(name, instruction)                                                    \
	static __always_inline struct arm_smccc_res name(                                        \
		unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3,          \
		unsigned long a4, unsigned long a5, unsigned long a6, unsigned long a7)          \
	{                                                                                        \
		register unsigned long x0 __asm__("x0") = a0;                                    \
		register unsigned long x1 __asm__("x1") = a1;                                    \
		register unsigned long x2 __asm__("x2") = a2;                                    \
		register unsigned long x3 __asm__("x3") = a3;                                    \
		register unsigned long x4 __asm__("x4") = a4;                                    \
		register unsigned long x5 __asm__("x5") = a5;                                    \
		register unsigned long x6 __asm__("x6") = a6;                                    \
		register unsigned long x7 __asm__("x7") = a7;                                    \
		__asm__ volatile(instruction                                                     \
				 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)                        \
				 : "r"(x4), "r"(x5), "r"(x6), "r"(x7)                            \
				 : "memory", "x16", "x30", "cc");                                \
		return (struct arm_smccc_res){ x0, x1, x2, x3 };                                 \
	}
__ARM_SMCCC_DEFINE(__arm_smccc_hvc, "hvc #0")
__ARM_SMCCC_DEFINE(__arm_smccc_smc, "smc #0")
#undef __ARM_SMCCC_DEFINE

/* arm_smccc_1_1_hvc(id, up to seven arguments, &result): the last one gets x0..x3 unless NULL. */
#define __smccc_finish(result, value)                    \
	do {                                             \
		const struct arm_smccc_res __answer = (value); \
		struct arm_smccc_res *__out = (result);  \
		if (__out)                               \
			*__out = __answer;               \
	} while (0)
#define __smccc_arg(x) ((unsigned long)(x))
#define __smccc_fill(f, a, b, c, d, e, g, h, i, ...)                                           \
	f(__smccc_arg(a), __smccc_arg(b), __smccc_arg(c), __smccc_arg(d), __smccc_arg(e),      \
	  __smccc_arg(g), __smccc_arg(h), __smccc_arg(i))
#define __smccc_2(f, a, r) __smccc_finish(r, __smccc_fill(f, a, 0, 0, 0, 0, 0, 0, 0))
#define __smccc_3(f, a, b, r) __smccc_finish(r, __smccc_fill(f, a, b, 0, 0, 0, 0, 0, 0))
#define __smccc_4(f, a, b, c, r) __smccc_finish(r, __smccc_fill(f, a, b, c, 0, 0, 0, 0, 0))
#define __smccc_5(f, a, b, c, d, r) __smccc_finish(r, __smccc_fill(f, a, b, c, d, 0, 0, 0, 0))
#define __smccc_6(f, a, b, c, d, e, r) __smccc_finish(r, __smccc_fill(f, a, b, c, d, e, 0, 0, 0))
#define __smccc_7(f, a, b, c, d, e, g, r) \
	__smccc_finish(r, __smccc_fill(f, a, b, c, d, e, g, 0, 0))
#define __smccc_8(f, a, b, c, d, e, g, h, r) \
	__smccc_finish(r, __smccc_fill(f, a, b, c, d, e, g, h, 0))
#define __smccc_9(f, a, b, c, d, e, g, h, i, r) \
	__smccc_finish(r, __smccc_fill(f, a, b, c, d, e, g, h, i))
#define __smccc_count_1(a, b, c, d, e, f, g, h, i, n, ...) n
#define __smccc_count(...) __smccc_count_1(__VA_ARGS__, 9, 8, 7, 6, 5, 4, 3, 2, 1)
#define __smccc_call(f, ...) __PASTE(__smccc_, __smccc_count(__VA_ARGS__))(f, __VA_ARGS__)

#define arm_smccc_1_1_hvc(...) __smccc_call(__arm_smccc_hvc, __VA_ARGS__)
#define arm_smccc_1_1_smc(...) __smccc_call(__arm_smccc_smc, __VA_ARGS__)
