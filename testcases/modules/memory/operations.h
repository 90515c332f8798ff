/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What memory_hvc does for each x1; x2, x3, x4 are its arguments. The operation's result comes back
 * in x1 (errors negative), a second one in x2 where noted. Tests in C and C++ include this.
 */
#pragma once

enum memory_operation {
	MEMORY_SHARE = 0,	/* host_share_hyp(pfn x2) */
	MEMORY_UNSHARE = 1,	/* host_unshare_hyp(pfn x2) */
	MEMORY_DONATE = 2,	/* host_donate_hyp(pfn x2, x3 pages, accept_mmio x4); android14 has no x4 */
	MEMORY_RETURN = 3,	/* hyp_donate_host(pfn x2, x3 pages) */
	MEMORY_MAP = 4,		/* create_private_mapping(pfn x2, one page, prot x3); x2 = VA */
	MEMORY_LINEAR = 5,	/* x1 = hyp_va(pfn x2), x2 = hyp_pa(that) */
	MEMORY_KERN_VA = 6,	/* x1 = kern_hyp_va(x2) */
	MEMORY_FILL = 7,	/* memset(hyp_va(pfn x2), x3, page) answers its destination */
	MEMORY_COPY = 8,	/* memcpy(hyp_va(pfn x2), hyp_va(pfn x3), page) answers likewise */
	MEMORY_READ = 9,	/* x1 = the u64 at hyp_va(pfn x2) + x3 */
	MEMORY_WRITE = 10,	/* the u64 at hyp_va(pfn x2) + x3 = x4 */
	MEMORY_PUTC = 11,	/* putc(x2); -ENOSYS in android14 */
	MEMORY_PUTS = 12,	/* puts("memory: text") */
	MEMORY_PUTX64 = 13,	/* putx64(x2) */
	MEMORY_PIN = 14,	/* pin_shared_mem of the page at pfn x2 */
	MEMORY_UNPIN = 15,	/* unpin_shared_mem of it */
	MEMORY_TAKE_VA = 16,	/* x1 = alloc_module_va(x2 pages) */
};
