/* SPDX-License-Identifier: GPL-2.0-only */
/* Mutexes of the EL1 half; the kernel here uses the first word and nothing behind it. */
#pragma once

#include <linux/list.h>
#include <linux/types.h>

struct mutex {
	unsigned long owner;
	u32 wait_lock;
	u32 osq;
	struct list_head wait_list;
};

void mutex_lock(struct mutex *lock);
int mutex_lock_interruptible(struct mutex *lock);
int mutex_lock_killable(struct mutex *lock);
int mutex_trylock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
bool mutex_is_locked(struct mutex *lock);

#define __MUTEX_INITIALIZER(name) { .wait_list = { &(name).wait_list, &(name).wait_list } }
#define DEFINE_MUTEX(name) struct mutex name = __MUTEX_INITIALIZER(name)
#define mutex_init(lock) (*(lock) = (struct mutex)__MUTEX_INITIALIZER(*(lock)))
#define mutex_destroy(lock) ((void)(lock))
