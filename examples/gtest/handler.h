/* SPDX-License-Identifier: GPL-2.0-only */
/* What a handler gets: android14 hands it the CPU context, later kernels the registers. */
#pragma once

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif
