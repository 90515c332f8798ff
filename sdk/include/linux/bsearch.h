/* SPDX-License-Identifier: GPL-2.0-only */
/* Binary search: EL2 code inlines the second form, since it cannot call the kernel. */
#pragma once

#include <linux/types.h>

void *bsearch(const void *key, const void *base, size_t count, size_t size,
	      int (*compare)(const void *key, const void *element));

static __always_inline void *__inline_bsearch(const void *key, const void *base, size_t count,
					      size_t size,
					      int (*compare)(const void *key, const void *element))
{
	const char *low = (const char *)base;

	while (count > 0) {
		const char *middle = low + count / 2 * size;
		const int order = compare(key, middle);

		if (order == 0)
			return (void *)middle;
		if (order > 0) {
			low = middle + size;
			count--;
		}
		count /= 2;
	}
	return NULL;
}
