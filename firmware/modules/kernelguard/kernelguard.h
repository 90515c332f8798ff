/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two halves agree on. */
#pragma once

#include <linux/types.h>
#include <linux/version.h>

struct guard_range {
	u64 base;
	u64 size;
};

/* Set by EL1 before the load. */
struct guard_plan {
	struct guard_range memory;	/* RAM */
	struct guard_range kernel;	/* whole pages that the host may read and execute only */
	struct guard_range patches;	/* where in them its stores are made for it */
};

/* android14 hands a handler its CPU context, later kernels the registers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif
