/* SPDX-License-Identifier: GPL-2.0-only */
/* Code and data that the kernel frees after a module's init. */
#pragma once

#include <linux/compiler.h>

#define __init __section(".init.text") __cold
#define __initdata __section(".init.data")
#define __initconst __section(".init.rodata")
#define __exit __section(".exit.text") __used __cold
#define __exitdata __section(".exit.data")

typedef int (*initcall_t)(void);
typedef void (*exitcall_t)(void);
