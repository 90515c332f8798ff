/* SPDX-License-Identifier: GPL-2.0-only */
/* Any CPU of the host may call or fault at any time, and EL2 offers modules no locks. */
#pragma once

#include <linux/types.h>

static inline void guard_lock(u32 *busy)
{
	while (__atomic_exchange_n(busy, 1, __ATOMIC_ACQUIRE))
		;
}

static inline void guard_unlock(u32 *busy)
{
	__atomic_store_n(busy, 0, __ATOMIC_RELEASE);
}
