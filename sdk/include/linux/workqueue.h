/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work for later. It runs in the order it falls due, when the kernel has given up its privileges and
 * again before power-off; flushing it, or waiting for a completion, runs it at once.
 *
 * Of these structures the kernel here uses only the head of struct work_struct (pending bit, function,
 * at their offsets in every generation); the tail of struct delayed_work is shorter than a kernel's.
 */
#pragma once

#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/timer.h>
#include <linux/types.h>

struct workqueue_struct;
struct work_struct;
typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	unsigned long data; /* bit 0: pending */
	struct list_head entry;
	work_func_t func;
	u64 __reserved[2];
};
static_assert(offsetof(struct work_struct, func) == 24);

struct delayed_work {
	struct work_struct work;
	struct timer_list timer;
	struct workqueue_struct *wq;
	int cpu;
	u64 __reserved[2];
};

enum { WQ_UNBOUND = 1 << 1, WQ_FREEZABLE = 1 << 2, WQ_MEM_RECLAIM = 1 << 3, WQ_HIGHPRI = 1 << 4 };

#define WORK_CPU_UNBOUND 32 /* CONFIG_NR_CPUS */
#define WORK_STRUCT_NO_POOL 0xfffffffe0UL /* neither pending nor on a queue */

extern struct workqueue_struct *system_wq, *system_highpri_wq, *system_long_wq, *system_unbound_wq,
	*system_freezable_wq, *system_power_efficient_wq;

bool queue_work_on(int cpu, struct workqueue_struct *queue, struct work_struct *work);
bool queue_delayed_work_on(int cpu, struct workqueue_struct *queue, struct delayed_work *work,
			   unsigned long delay);
bool mod_delayed_work_on(int cpu, struct workqueue_struct *queue, struct delayed_work *work,
			 unsigned long delay);
bool cancel_work(struct work_struct *work);
bool cancel_work_sync(struct work_struct *work);
bool cancel_delayed_work(struct delayed_work *work);
bool cancel_delayed_work_sync(struct delayed_work *work);
bool flush_work(struct work_struct *work);
bool flush_delayed_work(struct delayed_work *work);
void __flush_workqueue(struct workqueue_struct *queue);
struct workqueue_struct *alloc_workqueue(const char *format, unsigned int flags, int max_active,
					 ...);
void drain_workqueue(struct workqueue_struct *queue);
void destroy_workqueue(struct workqueue_struct *queue);

#define __WORK_INITIALIZER(name, function)                         \
	{                                                          \
		.data = WORK_STRUCT_NO_POOL,                       \
		.entry = { &(name).entry, &(name).entry },         \
		.func = (function),                                \
	}
#define DECLARE_WORK(name, function) struct work_struct name = __WORK_INITIALIZER(name, function)
#define DECLARE_DELAYED_WORK(name, function) \
	struct delayed_work name = { .work = __WORK_INITIALIZER((name).work, function) }

#define INIT_WORK(pointer, function)                                  \
	do {                                                          \
		struct work_struct *__work = (pointer);               \
		__work->data = WORK_STRUCT_NO_POOL;                   \
		__work->entry.next = &__work->entry;                  \
		__work->entry.prev = &__work->entry;                  \
		__work->func = (function);                            \
	} while (0)
#define INIT_DELAYED_WORK(pointer, function) INIT_WORK(&(pointer)->work, function)

#define work_pending(work) (((work)->data & 1) != 0)
#define delayed_work_pending(delayed) work_pending(&(delayed)->work)
#define to_delayed_work(pointer) container_of(pointer, struct delayed_work, work)
#define create_singlethread_workqueue(name) alloc_workqueue("%s", 0, 1, name)
#define create_workqueue(name) alloc_workqueue("%s", 0, 1, name)
#define alloc_ordered_workqueue(format, flags, ...) alloc_workqueue(format, flags, 1, ##__VA_ARGS__)
#define flush_scheduled_work() __flush_workqueue(system_wq)
#define flush_workqueue(queue) __flush_workqueue(queue)

static inline bool queue_work(struct workqueue_struct *queue, struct work_struct *work)
{
	return queue_work_on(WORK_CPU_UNBOUND, queue, work);
}

static inline bool queue_delayed_work(struct workqueue_struct *queue, struct delayed_work *work,
				      unsigned long delay)
{
	return queue_delayed_work_on(WORK_CPU_UNBOUND, queue, work, delay);
}

static inline bool mod_delayed_work(struct workqueue_struct *queue, struct delayed_work *work,
				    unsigned long delay)
{
	return mod_delayed_work_on(WORK_CPU_UNBOUND, queue, work, delay);
}

static inline bool schedule_work(struct work_struct *work)
{
	return queue_work(system_wq, work);
}

static inline bool schedule_delayed_work(struct delayed_work *work, unsigned long delay)
{
	return queue_delayed_work(system_wq, work, delay);
}
