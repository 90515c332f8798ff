/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two halves, and the sources of each, know of one another. */
#pragma once

#include <linux/types.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif

/* x1 of a call; x2 and x3 are its arguments. */
enum service {
	SERVICE_SCALE,    /* x2 times the factor that EL1 set before the load */
	SERVICE_CHECKSUM, /* of a page of the host: x2 is its physical address, x3 how many bytes */
	SERVICE_COUNT,    /* calls so far */
};

/* At EL1: the number of the handler; what the kernel's library and clock make of it. */
extern int services_hvc_number;
int services_try_library(void);
int services_start_later(void);
void services_stop_later(void);

/* At EL2. */
typedef u64 (*service_function)(u64 first, u64 second);
extern const service_function service_table[SERVICE_COUNT];
