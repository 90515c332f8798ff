// SPDX-License-Identifier: GPL-2.0-only
// Hands functions of its own to the kernel and to the owner of a chain; its init answers `fails`, having
// taken everything back before when `tidy`.
#include <asm/kvm_host.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/workqueue.h>

static int fails;
module_param(fails, int, 0);
static bool tidy;
module_param(tidy, bool, 0);

extern struct blocking_notifier_head owner_chain;
extern struct atomic_notifier_head panic_notifier_list;

static void run_late(struct work_struct *work)
{
	pr_info("leaver: work runs\n");
}
static DECLARE_DELAYED_WORK(late, run_late);
static struct work_struct *of_the_heap;

static int told(struct notifier_block *self, unsigned long action, void *data)
{
	pr_info("leaver: told %lu\n", action);
	return NOTIFY_OK;
}
static struct notifier_block at_panic = { .notifier_call = told };
static struct notifier_block at_owner = { .notifier_call = told };
static BLOCKING_NOTIFIER_HEAD(own_chain);
static struct notifier_block at_own = { .notifier_call = told };

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
static int init_driver(void)
{
	pr_info("leaver: driver starts\n");
	return -ENODEV;
}
static void remove_driver(void)
{
	pr_info("leaver: driver goes\n");
}
static struct kvm_iommu_driver driver = { .init_driver = init_driver, .remove_driver = remove_driver };
#endif

static void take_back(void)
{
	cancel_delayed_work_sync(&late);
	cancel_work_sync(of_the_heap);
	kfree(of_the_heap);
	atomic_notifier_chain_unregister(&panic_notifier_list, &at_panic);
	blocking_notifier_chain_unregister(&owner_chain, &at_owner);
}

static int __init leaver_init(void)
{
	of_the_heap = kmalloc(sizeof(*of_the_heap), GFP_KERNEL);
	if (!of_the_heap)
		return -ENOMEM;
	INIT_WORK(of_the_heap, run_late);
	schedule_work(of_the_heap);
	schedule_delayed_work(&late, 10);
	atomic_notifier_chain_register(&panic_notifier_list, &at_panic);
	blocking_notifier_chain_register(&owner_chain, &at_owner);
	blocking_notifier_chain_register(&own_chain, &at_own);
	if (tidy) {
		take_back();
		return -fails;
	}
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	kvm_iommu_register_driver(&driver);
#endif
	return -fails;
}
module_init(leaver_init);

MODULE_DESCRIPTION("Leaves something of everything behind");
MODULE_LICENSE("GPL");
