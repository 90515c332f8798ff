/* SPDX-License-Identifier: GPL-2.0-only */
/* Arrays with holes. */
#pragma once

#include <linux/gfp.h>
#include <linux/types.h>

struct xarray {
	u32 xa_lock;
	gfp_t xa_flags;
	void *xa_head;
};

#define DEFINE_XARRAY(name) struct xarray name = {}
#define XA_PRESENT 8U

static inline void xa_init(struct xarray *array)
{
	*array = (struct xarray){};
}

static inline bool xa_empty(const struct xarray *array)
{
	return !array->xa_head;
}

void *xa_load(struct xarray *array, unsigned long index);
void *xa_store(struct xarray *array, unsigned long index, void *entry, gfp_t flags);
void *xa_erase(struct xarray *array, unsigned long index);
void *xa_find(struct xarray *array, unsigned long *index, unsigned long most, unsigned int filter);
void *xa_find_after(struct xarray *array, unsigned long *index, unsigned long most,
		    unsigned int filter);
void xa_destroy(struct xarray *array);

#define xa_for_each(array, index, entry)                                      \
	for (index = 0, entry = xa_find(array, &index, ~0UL, XA_PRESENT); entry; \
	     entry = xa_find_after(array, &index, ~0UL, XA_PRESENT))
