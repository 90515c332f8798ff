// SPDX-License-Identifier: GPL-2.0-only
// Owns a chain, and calls it when the host has given up its privileges.
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/workqueue.h>

BLOCKING_NOTIFIER_HEAD(owner_chain);
EXPORT_SYMBOL_GPL(owner_chain);

static int own_told(struct notifier_block *self, unsigned long action, void *data)
{
	pr_info("owner: told %lu\n", action);
	return NOTIFY_OK;
}
static struct notifier_block own_block = { .notifier_call = own_told, .priority = -1 };

static void call(struct work_struct *work)
{
	pr_info("owner: answer 0x%x\n", blocking_notifier_call_chain(&owner_chain, 3, NULL));
}
static DECLARE_DELAYED_WORK(later, call);

static int __init owner_init(void)
{
	blocking_notifier_chain_register(&owner_chain, &own_block);
	schedule_delayed_work(&later, 100);
	return 0;
}
module_init(owner_init);

MODULE_DESCRIPTION("Owner of a notifier chain");
MODULE_LICENSE("GPL");
