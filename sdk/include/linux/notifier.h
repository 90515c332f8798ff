/* SPDX-License-Identifier: GPL-2.0-only */
/* Chains of functions that are told of something. */
#pragma once

#include <linux/types.h>

struct notifier_block {
	int (*notifier_call)(struct notifier_block *self, unsigned long action, void *data);
	struct notifier_block *next;
	int priority;
};

struct raw_notifier_head {
	struct notifier_block *head;
};

struct atomic_notifier_head {
	u32 lock;
	struct notifier_block *head;
};

/* A kernel's is a struct rw_semaphore, which Android builds with room for vendors. */
struct blocking_notifier_head {
	u64 __rwsem[8];
	struct notifier_block *head;
};

/* Larger in a kernel: srcu_init_notifier_head() makes it, and the kernel's functions alone use it. */
struct srcu_notifier_head {
	u64 __reserved[128];
};

#define BLOCKING_NOTIFIER_HEAD(name) struct blocking_notifier_head name = {}
#define BLOCKING_INIT_NOTIFIER_HEAD(chain) (*(chain) = (struct blocking_notifier_head){})
#define RAW_NOTIFIER_HEAD(name) struct raw_notifier_head name = {}
#define ATOMIC_NOTIFIER_HEAD(name) struct atomic_notifier_head name = {}

#define NOTIFY_DONE 0x0000
#define NOTIFY_OK 0x0001
#define NOTIFY_STOP_MASK 0x8000
#define NOTIFY_STOP (NOTIFY_OK | NOTIFY_STOP_MASK)

int raw_notifier_chain_register(struct raw_notifier_head *chain, struct notifier_block *added);
int raw_notifier_chain_unregister(struct raw_notifier_head *chain, struct notifier_block *gone);
int raw_notifier_call_chain(struct raw_notifier_head *chain, unsigned long action, void *data);
int atomic_notifier_chain_register(struct atomic_notifier_head *chain,
				   struct notifier_block *added);
int atomic_notifier_chain_unregister(struct atomic_notifier_head *chain,
				     struct notifier_block *gone);
int atomic_notifier_call_chain(struct atomic_notifier_head *chain, unsigned long action,
			       void *data);
int atomic_notifier_chain_register_unique_prio(struct atomic_notifier_head *chain,
					       struct notifier_block *added);
int blocking_notifier_chain_register(struct blocking_notifier_head *chain,
				     struct notifier_block *added);
int blocking_notifier_chain_register_unique_prio(struct blocking_notifier_head *chain,
						 struct notifier_block *added);
int blocking_notifier_chain_unregister(struct blocking_notifier_head *chain,
				       struct notifier_block *gone);
int blocking_notifier_call_chain(struct blocking_notifier_head *chain, unsigned long action,
				 void *data);
void srcu_init_notifier_head(struct srcu_notifier_head *chain);
int srcu_notifier_chain_register(struct srcu_notifier_head *chain, struct notifier_block *added);
int srcu_notifier_chain_unregister(struct srcu_notifier_head *chain, struct notifier_block *gone);
int srcu_notifier_call_chain(struct srcu_notifier_head *chain, unsigned long action, void *data);
