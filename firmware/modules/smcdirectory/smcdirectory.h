/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What other modules need. The number of a hypercall is known only when it is registered; the
 * directory has it under a key that everybody knows: an SMC function id of the vendor's.
 *
 *	SMC DIRECTORY_REGISTER, x1 = key, x2 = hypercall: x0 = 0 or a negative error
 *	SMC key: x0 = 0, x1 = hypercall; what nobody registered goes on to EL3
 */
#pragma once

#include <linux/types.h>
#include <linux/version.h>

#define DIRECTORY_REGISTER 0xc400ff10UL
#define DIRECTORY_ENTRIES 64

/* android14 hands a handler its CPU context, later kernels the registers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif
