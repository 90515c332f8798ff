/* SPDX-License-Identifier: GPL-2.0-only */
/* A counter that is read and written as a whole. */
#pragma once

#include <linux/types.h>

#define ATOMIC_INIT(value) { (value) }

static inline int atomic_read(const atomic_t *v)
{
	return READ_ONCE(v->counter);
}

static inline void atomic_set(atomic_t *v, int value)
{
	WRITE_ONCE(v->counter, value);
}
