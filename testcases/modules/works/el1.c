// SPDX-License-Identifier: GPL-2.0-only
// Work for later: it runs in the order it falls due, after the host has given up its privileges.
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

static DEFINE_MUTEX(lock);
static DEFINE_SPINLOCK(spin);
static struct completion finished;

static void tell(struct work_struct *work);
static void again(struct work_struct *work);
static void finish(struct work_struct *work);
static DECLARE_DELAYED_WORK(second, tell);
static DECLARE_DELAYED_WORK(cancelled, tell);
static DECLARE_WORK(first, tell);
static DECLARE_WORK(waited, finish);
static struct delayed_work periodic;
static unsigned int rounds;
static unsigned long start;

static void tell(struct work_struct *work)
{
	mutex_lock(&lock);
	pr_info("works: %s after %u ms\n", work == &first ? "first" : "second",
		jiffies_to_msecs(jiffies - start));
	mutex_unlock(&lock);
}

static void again(struct work_struct *work)
{
	pr_info("works: round %u after %u ms\n", ++rounds, jiffies_to_msecs(jiffies - start));
	if (rounds < 3)
		schedule_delayed_work(to_delayed_work(work), msecs_to_jiffies(100));
}

static void finish(struct work_struct *work)
{
	complete(&finished);
}

static int __init works_init(void)
{
	unsigned long flags;
	u64 before = ktime_get_ns();

	start = jiffies;
	INIT_DELAYED_WORK(&periodic, again);
	init_completion(&finished);
	schedule_delayed_work(&second, msecs_to_jiffies(1000));
	schedule_delayed_work(&cancelled, HZ);
	schedule_delayed_work(&periodic, msecs_to_jiffies(960));
	schedule_work(&first);
	pr_info("works: again %d, cancelled %d %d\n", schedule_work(&first),
		cancel_delayed_work_sync(&cancelled), cancel_delayed_work_sync(&cancelled));

	spin_lock_irqsave(&spin, flags);
	pr_info("works: spin locked %d, mutex free %d\n", spin_is_locked(&spin), mutex_trylock(&lock));
	spin_unlock_irqrestore(&spin, flags);
	mutex_unlock(&lock);

	flush_work(&first);
	schedule_work(&waited);
	wait_for_completion(&finished);
	msleep(20);
	pr_info("works: slept %d\n", ktime_get_ns() - before >= 20 * NSEC_PER_MSEC);
	return 0;
}
module_init(works_init);

MODULE_DESCRIPTION("Delayed work, locks, completions");
MODULE_LICENSE("GPL");
