/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one task. To sleep is to run what is pending until some of it wakes the task; where nothing is
 * left that could, it is a deadlock.
 */
#pragma once

#include <linux/build_bug.h>
#include <linux/types.h>

#define TASK_RUNNING 0
#define TASK_INTERRUPTIBLE 1
#define TASK_UNINTERRUPTIBLE 2
#define TASK_NORMAL (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE)
#define MAX_SCHEDULE_TIMEOUT ((long)(~0UL >> 1))

/* Of which nothing but the state is named. */
struct task_struct {
	u64 __thread_info[6];
	unsigned int __state;
};
static_assert(offsetof(struct task_struct, __state) == 48);

static inline struct task_struct *get_current(void)
{
	unsigned long task;

	__asm__("mrs %0, sp_el0" : "=r"(task));
	return (struct task_struct *)task;
}
#define current get_current()
#define set_current_state(state) (*(volatile unsigned int *)&current->__state = (state))
#define __set_current_state(state) set_current_state(state)

void schedule(void);
/* The ticks that were left. */
long schedule_timeout(long timeout);
long schedule_timeout_interruptible(long timeout);
long schedule_timeout_uninterruptible(long timeout);
int wake_up_process(struct task_struct *task);
void yield(void);
int __cond_resched(void);
#define cond_resched() __cond_resched()
