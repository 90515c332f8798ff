/* SPDX-License-Identifier: GPL-2.0-only */
/* What both halves agree on. */
#pragma once

#include <asm/ptrace.h>
#include <linux/types.h>
#include <linux/version.h>

#include "numbers.h"

/* android14 hands a handler its CPU context, later kernels the registers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif

/* The table of rights has a bit for each page of RAM, set where devices may not go. */
#define SKETCH_RIGHTS_ORDER 3
#define SKETCH_RIGHTS_PAGES (1 << SKETCH_RIGHTS_ORDER)

/* android14: the pages of that table, which the host hands over as the driver starts. */
struct sketch_memory {
	u64 pfns[SKETCH_RIGHTS_PAGES];
};
