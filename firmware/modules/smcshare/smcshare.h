/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the host calls the secure world: x0 = function, x1 = how many arguments there are (bits 3:0),
 * x2 to x5 = the first four. When there are more, x5 is the physical address of a list with the
 * fourth and all others, a word each, which may go on in the next page.
 *
 * x0 = -1: not on the list of calls; x0 = -3: the list cannot be handed over.
 */
#pragma once

#include <linux/types.h>
#include <linux/version.h>

#define CALL_COUNT_MASK 0xf
#define CALL_REGISTERS 4
#define CALL_LIST_REGISTER 5

/* android14 hands a handler its CPU context, later kernels the registers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif
