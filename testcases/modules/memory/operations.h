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
	MEMORY_MOD_PROT = 17,	/* host_stage2_mod_prot(pfn x2, prot x3, x4 pages, x5); android14 has one page */
	MEMORY_MOD_PROT_RANGE = 18,	/* host_stage2_mod_prot_range(pfn x2, prot x3, x4 pages) */
	MEMORY_LEAF = 19,	/* host_stage2_get_leaf(PA x2): x2 = descriptor, x3 = level */
	MEMORY_LAZY_ON = 20,	/* host_stage2_enable_lazy_pte(pfn x2, x3 pages) */
	MEMORY_LAZY_OFF = 21,	/* host_stage2_disable_lazy_pte(pfn x2, x3 pages) */
	MEMORY_DONATE_PROT = 22,	/* host_donate_hyp_prot(pfn x2, x3 pages, accept_mmio x4, prot x5) */
	MEMORY_DONATE_LIST = 23,	/* host_donate_sglist_hyp of x2 entries: x3.. = order << 40 | pfn */
	MEMORY_EARLY_ON = 24,	/* x1 = linear_map_early(PA x2, size x3, prot x4) */
	MEMORY_EARLY_OFF = 25,	/* linear_unmap_early(VA x2, size x3) */
	MEMORY_FIXMAP = 26,	/* x1 = fixmap_map(PA x2) */
	MEMORY_FIXMAP_OFF = 27,	/* fixmap_unmap() */
	MEMORY_FIXBLOCK = 28,	/* x1 = fixblock_map(PA x2) */
	MEMORY_FIXBLOCK_OFF = 29,	/* fixblock_unmap() */
	MEMORY_PEEK = 30,	/* x1 = the u64 at VA x2 */
	MEMORY_POKE = 31,	/* the u64 at VA x2 = x3 */
	MEMORY_PRIVATE = 32,	/* create_private_mapping(PA x2, size x3, prot x4); x2 = VA, or x5 if untouched */
	MEMORY_MAP_PAGE = 33,	/* map_module_page(pfn x2, VA x3, prot x4, is_protected x5) */
	MEMORY_PIN_RANGE = 34,	/* pin_shared_mem(hyp_va(PA x2), hyp_va(PA x3)) */
	MEMORY_UNPIN_RANGE = 35,	/* unpin_shared_mem(hyp_va(PA x2), hyp_va(PA x3)) */
	MEMORY_HANDLER = 36,	/* register_host_perm_fault_handler of handler number x2 (0 to 2) */
	MEMORY_ANSWER = 37,	/* from now on handler x2 does x3 (an action) and answers x4 */
	MEMORY_HANDLED = 38,	/* x1 = calls of handlers, x2 = last ESR, x3 = last address, x4 = order */
	MEMORY_NOTIFIER = 39,	/* register_illegal_abt_notifier() */
	MEMORY_NOTIFIED = 40,	/* x1 = its calls, x2 = x0 of the host at the last one */
	MEMORY_STAGE2 = 41,	/* x1 = VTTBR_EL2, x2 = VTCR_EL2, x3 = HCR_EL2 */
	MEMORY_STAGE1 = 42,	/* x1 = TTBR0_EL2, x2 = TCR_EL2, x3 = SCTLR_EL2, x4 = MAIR_EL2 */
};

/* What a handler of permission faults does before it answers. */
enum memory_action {
	MEMORY_ACT_NOTHING = 0,
	MEMORY_ACT_ALLOW = 1,	/* the page becomes RWX again */
	MEMORY_ACT_SKIP = 2,	/* the host goes on behind the instruction */
};
