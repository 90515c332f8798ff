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
