// SPDX-License-Identifier: GPL-2.0-only
// Work that runs by itself when the host has given up its privileges: it still reaches EL2.
#define pr_fmt(fmt) "later: " fmt

#include <asm/kvm_pkvm_module.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "services.h"

struct poll {
	struct delayed_work work;
	struct completion done;
	unsigned int rounds;
	u64 started;
};

static struct workqueue_struct *queue;
static struct poll *poll;
static DEFINE_MUTEX(poll_lock);
static DEFINE_SPINLOCK(count_lock);

static void report(struct work_struct *work)
{
	pr_info("plain work\n");
}
static DECLARE_WORK(report_work, report);

static void poll_el2(struct work_struct *work)
{
	struct poll *this = container_of(to_delayed_work(work), struct poll, work);
	const u64 waited = ktime_get_ns() - this->started;

	mutex_lock(&poll_lock);
	pr_info("round %u: scaled %lu, time moves %d\n", ++this->rounds,
		pkvm_el2_mod_call(services_hvc_number, SERVICE_SCALE, this->rounds),
		waited >= this->rounds * 20 * NSEC_PER_MSEC);
	mutex_unlock(&poll_lock);
	if (this->rounds < 2)
		queue_delayed_work(queue, &this->work, msecs_to_jiffies(20));
	else
		complete(&this->done);
}

int services_start_later(void)
{
	unsigned long flags;

	queue = alloc_ordered_workqueue("services", WQ_MEM_RECLAIM);
	poll = kzalloc(sizeof(*poll), GFP_KERNEL);
	if (!queue || !poll)
		return -ENOMEM;
	INIT_DELAYED_WORK(&poll->work, poll_el2);
	init_completion(&poll->done);
	poll->started = ktime_get_ns();
	spin_lock_irqsave(&count_lock, flags);
	schedule_work(&report_work);
	queue_delayed_work(queue, &poll->work, msecs_to_jiffies(20));
	spin_unlock_irqrestore(&count_lock, flags);
	pr_info("queued %d\n", delayed_work_pending(&poll->work));
	udelay(10);
	return 0;
}

void services_stop_later(void)
{
	cancel_delayed_work_sync(&poll->work);
	destroy_workqueue(queue);
	kfree(poll);
}
