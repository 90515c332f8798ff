/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers for pointers. */
#pragma once

#include <linux/gfp.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

struct idr {
	struct xarray idr_rt;
	unsigned int idr_base;
	unsigned int idr_next;
};

struct ida {
	struct xarray xa;
};

#define DEFINE_IDR(name) struct idr name = {}
#define DEFINE_IDA(name) struct ida name = {}

static inline void idr_init(struct idr *idr)
{
	*idr = (struct idr){};
}

static inline bool idr_is_empty(const struct idr *idr)
{
	return !idr->idr_rt.xa_head;
}

int idr_alloc(struct idr *idr, void *pointer, int start, int end, gfp_t flags);
void *idr_find(const struct idr *idr, unsigned long id);
void *idr_remove(struct idr *idr, unsigned long id);
void *idr_get_next(struct idr *idr, int *next);
int idr_for_each(const struct idr *idr, int (*call)(int id, void *pointer, void *data), void *data);
void idr_destroy(struct idr *idr);

int ida_alloc_range(struct ida *ida, unsigned int least, unsigned int most, gfp_t flags);
void ida_free(struct ida *ida, unsigned int id);
void ida_destroy(struct ida *ida);
#define ida_alloc(ida, flags) ida_alloc_range(ida, 0, ~0U, flags)
#define ida_alloc_max(ida, most, flags) ida_alloc_range(ida, 0, most, flags)
