/* SPDX-License-Identifier: GPL-2.0-only */
/* What a struct delayed_work holds for its delay; timers of their own do not exist here. */
#pragma once

#include <linux/types.h>

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct timer_list {
	struct hlist_node entry;
	unsigned long expires;
	void (*function)(struct timer_list *timer);
	u32 flags;
};
