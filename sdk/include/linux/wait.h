/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting until something is so. Who changes it, work that is pending, wakes the queue. */
#pragma once

#include <linux/list.h>
#include <linux/sched.h>
#include <linux/types.h>

struct wait_queue_entry {
	unsigned int flags;
	void *private;
	int (*func)(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key);
	struct list_head entry;
};

struct wait_queue_head {
	u32 lock;
	struct list_head head;
};
typedef struct wait_queue_head wait_queue_head_t;

#define DECLARE_WAIT_QUEUE_HEAD(name) \
	struct wait_queue_head name = { .head = { &(name).head, &(name).head } }
#define init_waitqueue_head(queue) __init_waitqueue_head(queue, #queue, NULL)

void __init_waitqueue_head(struct wait_queue_head *queue, const char *name, void *key);
void init_wait_entry(struct wait_queue_entry *entry, int flags);
long prepare_to_wait_event(struct wait_queue_head *queue, struct wait_queue_entry *entry, int state);
void prepare_to_wait(struct wait_queue_head *queue, struct wait_queue_entry *entry, int state);
void finish_wait(struct wait_queue_head *queue, struct wait_queue_entry *entry);
void add_wait_queue(struct wait_queue_head *queue, struct wait_queue_entry *entry);
void remove_wait_queue(struct wait_queue_head *queue, struct wait_queue_entry *entry);
int __wake_up(struct wait_queue_head *queue, unsigned int mode, int count, void *key);

#define wake_up(queue) __wake_up(queue, TASK_NORMAL, 1, NULL)
#define wake_up_all(queue) __wake_up(queue, TASK_NORMAL, 0, NULL)
#define wake_up_interruptible(queue) __wake_up(queue, TASK_INTERRUPTIBLE, 1, NULL)
#define wake_up_interruptible_all(queue) __wake_up(queue, TASK_INTERRUPTIBLE, 0, NULL)

static inline int waitqueue_active(struct wait_queue_head *queue)
{
	return queue->head.next != &queue->head;
}

/* `left` is what remains of the time; 1 at least when it is so after all. */
#define __wait_event(queue, condition, state, left)                             \
	({                                                                      \
		struct wait_queue_entry __entry;                                \
		long __left = (left);                                           \
                                                                                \
		init_wait_entry(&__entry, 0);                                   \
		for (;;) {                                                      \
			prepare_to_wait_event(&(queue), &__entry, (state));     \
			if (condition) {                                        \
				__left = __left ? __left : 1;                   \
				break;                                          \
			}                                                       \
			if (!__left)                                            \
				break;                                          \
			__left = schedule_timeout(__left);                      \
		}                                                               \
		finish_wait(&(queue), &__entry);                                \
		__left;                                                         \
	})

#define wait_event(queue, condition)                                            \
	do {                                                                    \
		if (!(condition))                                               \
			__wait_event(queue, condition, TASK_UNINTERRUPTIBLE,    \
				     MAX_SCHEDULE_TIMEOUT);                     \
	} while (0)
/* No signal ever comes. */
#define wait_event_interruptible(queue, condition)                              \
	({                                                                      \
		if (!(condition))                                               \
			__wait_event(queue, condition, TASK_INTERRUPTIBLE,      \
				     MAX_SCHEDULE_TIMEOUT);                     \
		0;                                                              \
	})
#define wait_event_timeout(queue, condition, timeout)                           \
	((condition) ? ((timeout) ? (long)(timeout) : 1) :                      \
		       __wait_event(queue, condition, TASK_UNINTERRUPTIBLE, timeout))
