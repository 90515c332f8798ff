/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting for an event. Waiting runs what is pending; when nothing is left, it is a deadlock. */
#pragma once

#include <linux/list.h>
#include <linux/types.h>

struct completion {
	unsigned int done;
	u32 wait_lock;
	struct list_head wait_list;
};

void complete(struct completion *event);
void complete_all(struct completion *event);
void wait_for_completion(struct completion *event);
unsigned long wait_for_completion_timeout(struct completion *event, unsigned long timeout);
int wait_for_completion_interruptible(struct completion *event);
bool try_wait_for_completion(struct completion *event);
bool completion_done(struct completion *event);

#define COMPLETION_INITIALIZER(name) { .wait_list = { &(name).wait_list, &(name).wait_list } }
#define DECLARE_COMPLETION(name) struct completion name = COMPLETION_INITIALIZER(name)
#define init_completion(event) (*(event) = (struct completion)COMPLETION_INITIALIZER(*(event)))
#define reinit_completion(event) ((void)((event)->done = 0))
