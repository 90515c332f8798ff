// SPDX-License-Identifier: GPL-2.0-only
// One bit for each page of RAM: set where devices must not go, because it is not the host's.
#include <linux/kernel.h>

#include "sketch.h"

#define BITS 64

static u64 *rights;

static u64 pages_of_memory(void)
{
	const u64 most = SKETCH_RIGHTS_PAGES * PAGE_SIZE * 8;
	const u64 all = iommusketch_memory_size >> PAGE_SHIFT;

	return all < most ? all : most;
}

void rights_init(u64 *table, bool blocked)
{
	unsigned long i;

	rights = table;
	for (i = 0; i < SKETCH_RIGHTS_PAGES * PAGE_SIZE / sizeof(*table); i++)
		table[i] = blocked ? ~0UL : 0;
}

/* MMIO, and what is behind the table, is left as it is. */
void rights_change(phys_addr_t start, phys_addr_t end, bool blocked)
{
	const u64 all = pages_of_memory();
	u64 page;

	if (!rights || end <= iommusketch_memory)
		return;
	page = start <= iommusketch_memory ? 0 : (start - iommusketch_memory) >> PAGE_SHIFT;
	for (; page < all && iommusketch_memory + (page << PAGE_SHIFT) < end; page++) {
		if (page % BITS == 0 && all - page >= BITS &&
		    iommusketch_memory + ((page + BITS) << PAGE_SHIFT) <= end) {
			rights[page / BITS] = blocked ? ~0UL : 0;
			page += BITS - 1;
			continue;
		}
		if (blocked)
			rights[page / BITS] |= 1UL << page % BITS;
		else
			rights[page / BITS] &= ~(1UL << page % BITS);
	}
}

bool rights_blocked(phys_addr_t pa)
{
	const u64 page = (pa - iommusketch_memory) >> PAGE_SHIFT;

	if (!rights || pa < iommusketch_memory || page >= pages_of_memory())
		return true;
	return rights[page / BITS] >> page % BITS & 1;
}

u64 rights_address(void)
{
	return pkvm_ops->hyp_pa(rights);
}
