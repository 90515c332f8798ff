/* SPDX-License-Identifier: GPL-2.0-only */
/* System registers by their assembler names. */
#pragma once

#include <linux/types.h>

#define read_sysreg(name)                                              \
	({                                                             \
		u64 __value;                                           \
		__asm__ volatile("mrs %0, " #name : "=r"(__value));    \
		__value;                                               \
	})
#define write_sysreg(value, name)                                             \
	do {                                                                  \
		const u64 __value = (u64)(value);                             \
		__asm__ volatile("msr " #name ", %x0" : : "rZ"(__value));     \
	} while (0)
