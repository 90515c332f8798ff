/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two halves agree on. The table lies in whole pages of its own, one row behind the other.
 * EL1 says where it is and how many rows it has; everything else is read at EL2, from pages that the
 * host has given away.
 */
#pragma once

#include <asm/page.h>
#include <linux/types.h>
#include <linux/version.h>

#define MANAGER_ROWS 256

enum manager_owner { OWNER_HOST, OWNER_SHARED, OWNER_SECURE, OWNERS };

struct manager_row {
	u64 base;
	u64 size;
	u64 owner;	/* the host, the host for reading, or nobody that it knows */
};

struct manager_table {
	u64 memory_base;
	u64 memory_size;
	u64 address;
	u64 rows;
};

static inline u64 manager_table_pages(u64 rows)
{
	return PAGE_ALIGN(rows * sizeof(struct manager_row)) >> PAGE_SHIFT;
}

/* android14 hands a handler its CPU context, later kernels the registers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif
