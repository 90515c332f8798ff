/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BUG and WARN: a BRK whose immediate says "look me up", and a 12-byte record in __bug_table:
 * s32 address of the BRK and s32 file name, both self-relative, u16 line, u16 flags. At EL2 both
 * end the machine (pkvm-abi.md 0.2).
 */
#pragma once

#include <linux/types.h>

#define __BUG_IMMEDIATE 0x800
#define __BUGFLAG_WARNING 0x001
#define __BUGFLAG_ONCE 0x002
#define __BUGFLAG_NO_CUT_HERE 0x008 /* the words came before */
#define __BUGFLAG_TAINT_WARN (9 << 8)

#define __bug_brk(flags)                                                                     \
	__asm__ volatile(".pushsection __bug_table, \"aw\"\n"                               \
			 "	.balign 4\n"                                                \
			 "0:	.word 2f - .\n"                                              \
			 "	.word 1f - .\n"                                              \
			 "	.hword %c1\n"                                                \
			 "	.hword %c2\n"                                                \
			 "	.popsection\n"                                               \
			 "	.pushsection .rodata.str, \"aMS\", %%progbits, 1\n"          \
			 "1:	.string \"" __FILE_NAME__ "\"\n"                             \
			 "	.popsection\n"                                               \
			 "2:	brk %c0"                                                      \
			 :                                                                   \
			 : "i"(__BUG_IMMEDIATE), "i"(__LINE__ & 0xffff), "i"(flags))

#define BUG()                            \
	do {                             \
		__bug_brk(0);            \
		__builtin_unreachable(); \
	} while (0)

#define BUG_ON(condition)                \
	do {                             \
		if (unlikely(condition)) \
			BUG();           \
	} while (0)

#define __WARN_ON_FLAGS(condition, flags)      \
	({                                     \
		const int __warned = !!(condition); \
		if (unlikely(__warned))        \
			__bug_brk(flags);      \
		unlikely(__warned);            \
	})

#define WARN_ON(condition) __WARN_ON_FLAGS(condition, __BUGFLAG_WARNING | __BUGFLAG_TAINT_WARN)
#define WARN_ON_ONCE(condition) \
	__WARN_ON_FLAGS(condition, __BUGFLAG_WARNING | __BUGFLAG_ONCE | __BUGFLAG_TAINT_WARN)

/* With words, which EL2 has no printk for: there they are left out. */
#ifdef __KVM_NVHE_HYPERVISOR__
#define __WARN_WORDS(...) ((void)0)
#else
__printf(1, 2) void __warn_printk(const char *format, ...);
#define __WARN_WORDS(...) __warn_printk(__VA_ARGS__)
#endif

#define WARN(condition, ...)                                                          \
	({                                                                            \
		const int __warn = !!(condition);                                     \
		if (unlikely(__warn)) {                                               \
			__WARN_WORDS(__VA_ARGS__);                                    \
			__bug_brk(__BUGFLAG_WARNING | __BUGFLAG_NO_CUT_HERE |         \
				  __BUGFLAG_TAINT_WARN);                              \
		}                                                                     \
		unlikely(__warn);                                                     \
	})
#define WARN_ONCE(condition, ...)                         \
	({                                                \
		static bool __warned_once;                \
		const int __once = !!(condition);         \
		if (unlikely(__once && !__warned_once)) { \
			__warned_once = true;             \
			WARN(1, __VA_ARGS__);             \
		}                                         \
		unlikely(__once);                         \
	})
