/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two halves agree on. A list is one page of 64-bit entries, each a block of 2^order pages:
 * bits 39:0 its first page's frame number, a multiple of its size, bits 47:40 the order, the rest 0.
 */
#pragma once

#include <asm/page.h>
#include <linux/types.h>
#include <linux/version.h>

#define POOL_LIST_ENTRIES (PAGE_SIZE / sizeof(u64))
#define POOL_ORDER_SHIFT 40
#define POOL_USED_BITS 48
#define POOL_MAX_ORDER 10

static inline u64 pool_entry(u64 pfn, u64 order)
{
	return pfn | order << POOL_ORDER_SHIFT;
}

static inline u64 pool_entry_pfn(u64 entry)
{
	return entry & ((1UL << POOL_ORDER_SHIFT) - 1);
}

static inline u64 pool_entry_order(u64 entry)
{
	return entry >> POOL_ORDER_SHIFT & 0xff;
}

static inline u64 pool_entry_pages(u64 entry)
{
	return 1UL << pool_entry_order(entry);
}

/* android14 hands a handler its CPU context, later kernels the registers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif
