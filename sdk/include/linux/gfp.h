/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages, and the flags of every allocation. Of the flags only __GFP_ZERO and __GFP_COMP change anything here;
 * the others have the kernel's values so far as all generations agree on them.
 */
#pragma once

#include <asm/page.h>
#include <linux/types.h>

#define __GFP_IO ((gfp_t)0x40)
#define __GFP_FS ((gfp_t)0x80)
#define __GFP_NOWARN ((gfp_t)0x2000)
#define __GFP_ZERO ((gfp_t)0x100)
#define __GFP_COMP ((gfp_t)0x40000)
#define __GFP_DIRECT_RECLAIM ((gfp_t)0x400)
#define __GFP_KSWAPD_RECLAIM ((gfp_t)0x800)
#define GFP_KERNEL (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_NOWAIT __GFP_KSWAPD_RECLAIM
#define GFP_ATOMIC ((gfp_t)0x20 | __GFP_KSWAPD_RECLAIM)

/* 2^order pages in the linear map; 0 when there are none. */
unsigned long __get_free_pages(gfp_t flags, unsigned int order);
unsigned long get_zeroed_page(gfp_t flags);
void free_pages(unsigned long address, unsigned int order);

#define __get_free_page(flags) __get_free_pages(flags, 0)
#define free_page(address) free_pages(address, 0)

/* The order of an allocation of that many bytes. */
static inline int get_order(unsigned long size)
{
	int order = 0;

	for (size = (size - 1) >> PAGE_SHIFT; size; size >>= 1)
		order++;
	return order;
}
