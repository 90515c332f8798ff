/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory management, as far as modules here use it: pages, addresses, vmalloc. */
#pragma once

#include <asm/memory.h>
#include <asm/page.h>
#include <linux/build_bug.h>
#include <linux/gfp.h>
#include <linux/types.h>
#include <linux/version.h>
#include <linux/vmalloc.h>

/*
 * What the kernel knows about a page of RAM: one of these for each, in an array at its place in a
 * kernel of 39 bits. The fields that are named are kept; flags are 0.
 */
struct page {
	unsigned long flags;
	unsigned long compound_head; /* of all but the first of several with __GFP_COMP: its address + 1 */
	u64 __reserved[3];
	unsigned long private;
	int _mapcount;
	int _refcount;
	u64 __reserved_too;
};
static_assert(sizeof(struct page) == 64);

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#define VMEMMAP_START (-(1UL << (VA_BITS - 6)))
#else
#define VMEMMAP_START (-(1UL << 30) - ((PAGE_END - PAGE_OFFSET) >> 6))
#endif
#define vmemmap ((struct page *)VMEMMAP_START - (memstart_addr >> PAGE_SHIFT))

#define pfn_to_page(pfn) (vmemmap + (pfn))
#define page_to_pfn(page) ((unsigned long)((page) - vmemmap))
#define page_to_phys(page) __pfn_to_phys(page_to_pfn(page))
#define phys_to_page(address) pfn_to_page(__phys_to_pfn(address))
#define page_to_virt(page) phys_to_virt(page_to_phys(page))
#define virt_to_page(pointer) pfn_to_page(virt_to_pfn(pointer))
#define page_address(page) page_to_virt(page)
#define offset_in_page(pointer) ((unsigned long)(pointer) & ~PAGE_MASK)
#define virt_addr_valid(pointer) __is_lm_address((unsigned long)(pointer))

/* The exported function of the generation, with the only node there is. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define __kernel_alloc_pages __alloc_pages
#define __kernel_alloc_pages_exact alloc_pages_exact
#else
#define __kernel_alloc_pages __alloc_pages_noprof
#define __kernel_alloc_pages_exact alloc_pages_exact_noprof
#define alloc_pages_exact(size, flags) alloc_pages_exact_noprof(size, flags)
#endif
struct page *__kernel_alloc_pages(gfp_t flags, unsigned int order, int node, const void *nodes);
void __free_pages(struct page *page, unsigned int order);
void split_page(struct page *page, unsigned int order);
void __folio_put(struct page *folio);
struct page *vmalloc_to_page(const void *address);

static inline struct page *alloc_pages(gfp_t flags, unsigned int order)
{
	return __kernel_alloc_pages(flags, order, 0, NULL);
}

static inline struct page *compound_head(struct page *page)
{
	return page->compound_head & 1 ? (struct page *)(page->compound_head - 1) : page;
}

static inline int page_count(struct page *page)
{
	return compound_head(page)->_refcount;
}

static inline void get_page(struct page *page)
{
	compound_head(page)->_refcount++;
}

static inline void put_page(struct page *page)
{
	struct page *const first = compound_head(page);

	if (--first->_refcount == 0)
		__folio_put(first);
}

#define alloc_page(flags) alloc_pages(flags, 0)
#define __free_page(page) __free_pages(page, 0)

/* Whole pages for that many bytes. */
void *__kernel_alloc_pages_exact(size_t size, gfp_t flags);
void free_pages_exact(void *memory, size_t size);

void *kvmalloc_node(size_t size, gfp_t flags, int node);
void kvfree(const void *memory);

#define kvmalloc(size, flags) kvmalloc_node(size, flags, -1)
#define kvzalloc(size, flags) kvmalloc_node(size, (flags) | __GFP_ZERO, -1)
