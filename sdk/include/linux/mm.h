/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory management, as far as modules here use it: pages, addresses, vmalloc. */
#pragma once

#include <asm/memory.h>
#include <asm/page.h>
#include <linux/build_bug.h>
#include <linux/gfp.h>
#include <linux/types.h>
#include <linux/vmalloc.h>

/*
 * A page by its number. Nothing is behind the pointer here: the kernel's array of these is an address
 * range to count in, at its place in a kernel of 39 bits.
 */
struct page {
	u64 __reserved[8];
};
static_assert(sizeof(struct page) == 64);

#define VMEMMAP_START (-(1UL << (VA_BITS - 6)))
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

static inline struct page *alloc_pages(gfp_t flags, unsigned int order)
{
	const unsigned long address = __get_free_pages(flags, order);

	return address ? virt_to_page((void *)address) : NULL;
}

static inline void __free_pages(struct page *page, unsigned int order)
{
	free_pages((unsigned long)page_address(page), order);
}

#define alloc_page(flags) alloc_pages(flags, 0)
#define __free_page(page) __free_pages(page, 0)

/* Whole pages for that many bytes. */
static inline void *alloc_pages_exact(size_t size, gfp_t flags)
{
	return (void *)__get_free_pages(flags, (unsigned int)get_order(size));
}

static inline void free_pages_exact(void *memory, size_t size)
{
	free_pages((unsigned long)memory, (unsigned int)get_order(size));
}

void *kvmalloc_node(size_t size, gfp_t flags, int node);
void kvfree(const void *memory);

#define kvmalloc(size, flags) kvmalloc_node(size, flags, -1)
#define kvzalloc(size, flags) kvmalloc_node(size, (flags) | __GFP_ZERO, -1)
