// SPDX-License-Identifier: GPL-2.0-only
// Tells what pages, wait queues, notifier chains, object caches and sscanf answer; or, by `what`, uses
// them wrongly: "asleep" sleeps with nobody to wake it, "twice" frees a page twice.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

static char *what = "";
module_param(what, charp, 0);

/* Addresses as inlines reckon them, users as they count them. */
static void pages(void)
{
	struct page *pair = alloc_pages(GFP_KERNEL | __GFP_ZERO, 1);
	struct page *four = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	u64 *word = page_address(pair);
	void *object = kmalloc(64, GFP_KERNEL);
	char *exact = alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
	void *area = vmalloc(PAGE_SIZE);

	pr_info("pages: zero %d, aligned %d, back %d, next %d\n", word[0] == 0 && word[1023] == 0,
		page_to_phys(pair) % (2 * PAGE_SIZE) == 0, virt_to_page(word) == pair,
		page_to_virt(pair + 1) == (void *)(word + 512));
	pr_info("pages: users %d, mapped %d, of an object %d\n", page_count(pair), pair->_mapcount,
		page_count(virt_to_page(object)));
	pr_info("pages: tail of %d, users %d\n", compound_head(four + 3) == four,
		page_count(four + 3));
	get_page(four + 1);
	__free_pages(four, 2);
	pr_info("pages: held %d\n", page_count(four));
	put_page(four);
	pr_info("pages: let go %d, tail %d\n", page_count(four), compound_head(four + 1) == four);
	split_page(pair, 1);
	__free_page(pair);
	pr_info("pages: second %d\n", page_count(pair + 1));
	__free_page(pair + 1);
	pr_info("pages: exact %d, area %d, too many %d\n", exact[3 * PAGE_SIZE - 1],
		vmalloc_to_page(area) == virt_to_page(area), alloc_pages(GFP_KERNEL, 11) == NULL);
	free_pages_exact(exact, 3 * PAGE_SIZE);
	kfree(object);
	vfree(area);
}

static DECLARE_WAIT_QUEUE_HEAD(queue);
static int served;

static void serve(struct work_struct *work)
{
	served++;
	wake_up(&queue);
}
static DECLARE_DELAYED_WORK(soon, serve);
static DECLARE_DELAYED_WORK(later, serve);

static void waiting(void)
{
	struct wait_queue_head own;
	unsigned long start = jiffies;
	long left;

	schedule_delayed_work(&soon, 10);
	wait_event(queue, served == 1);
	pr_info("waited: served %d after %lu, queue empty %d\n", served, jiffies - start,
		!waitqueue_active(&queue));
	schedule_delayed_work(&soon, 10);
	left = wait_event_timeout(queue, served == 2, 25);
	pr_info("waited: in time %ld, so already %ld\n", left,
		wait_event_timeout(queue, served == 2, 7));
	start = jiffies;
	schedule_delayed_work(&later, 100);
	left = wait_event_timeout(queue, served == 3, 25);
	pr_info("waited: too late %ld after %lu, served %d\n", left, jiffies - start, served);
	init_waitqueue_head(&own);
	pr_info("waited: interrupted %d, woken nobody %d, state %u\n",
		wait_event_interruptible(queue, served == 3), wake_up(&own), current->__state);
	start = jiffies;
	set_current_state(TASK_INTERRUPTIBLE);
	left = schedule_timeout(5);
	pr_info("waited: slept %lu, left %ld, then %u\n", jiffies - start, left, current->__state);
}

static int told;

static int first_told(struct notifier_block *self, unsigned long action, void *data)
{
	told = told * 10 + 1;
	return action == 2 ? NOTIFY_STOP : NOTIFY_OK;
}

static int second_told(struct notifier_block *self, unsigned long action, void *data)
{
	told = told * 10 + 2;
	return NOTIFY_DONE;
}

static struct notifier_block first_block = { .notifier_call = first_told, .priority = 5 };
static struct notifier_block second_block = { .notifier_call = second_told };
static struct notifier_block rival = { .notifier_call = second_told, .priority = 5 };
static BLOCKING_NOTIFIER_HEAD(blocking);
static struct srcu_notifier_head sleepable;

static void notifying(void)
{
	blocking_notifier_chain_register(&blocking, &second_block);
	blocking_notifier_chain_register(&blocking, &first_block);
	pr_info("blocking: again %d, rival %d, head %d\n",
		blocking_notifier_chain_register(&blocking, &first_block),
		blocking_notifier_chain_register_unique_prio(&blocking, &rival),
		blocking.head == &first_block);
	blocking_notifier_call_chain(&blocking, 1, NULL);
	pr_info("blocking: stopped 0x%x\n", blocking_notifier_call_chain(&blocking, 2, NULL));
	blocking_notifier_chain_unregister(&blocking, &second_block);
	pr_info("blocking: absent %d, told %d\n",
		blocking_notifier_chain_unregister(&blocking, &second_block), told);
	blocking_notifier_chain_unregister(&blocking, &first_block);

	told = 0;
	srcu_init_notifier_head(&sleepable);
	srcu_notifier_chain_register(&sleepable, &first_block);
	srcu_notifier_chain_register(&sleepable, &second_block);
	srcu_notifier_call_chain(&sleepable, 1, NULL);
	srcu_notifier_chain_unregister(&sleepable, &first_block);
	srcu_notifier_call_chain(&sleepable, 1, NULL);
	pr_info("srcu: told %d, absent %d\n", told,
		srcu_notifier_chain_unregister(&sleepable, &first_block));
}

static void construct(void *object)
{
	memset(object, 0x5a, 24);
}

static void caching(void)
{
	struct kmem_cache *cache = kmem_cache_create("things", 24, 8, 0, construct);
	unsigned char *thing = kmem_cache_alloc(cache, GFP_KERNEL);

	pr_info("cache: constructed 0x%x 0x%x\n", thing[0], thing[23]);
	kmem_cache_free(cache, thing);
	kmem_cache_destroy(cache);
}

static void scanning(void)
{
	unsigned int a = 0, b = 0;
	unsigned long long c = 0;
	char name[8] = "";

	pr_info("scanned: %d of", sscanf("pool@60000000:0x200,dry", "pool@%x:%llx,%7s", &a, &c, name));
	pr_cont(" 0x%x 0x%llx %s\n", a, c, name);
	pr_info("scanned: %d, then %d %u\n", sscanf("12 apples", "%u %u", &a, &b),
		sscanf("", "%u", &b), b);
}

static int __init kernelcalls_init(void)
{
	struct page *page;

	if (!strcmp(what, "asleep")) {
		wait_event(queue, served == 1);
		return 0;
	}
	if (!strcmp(what, "twice")) {
		page = alloc_page(GFP_KERNEL);
		__free_page(page);
		__free_page(page);
		return 0;
	}
	pages();
	waiting();
	notifying();
	caching();
	scanning();
	return 0;
}
module_init(kernelcalls_init);

MODULE_DESCRIPTION("Uses pages, wait queues, notifier chains, caches and sscanf of the kernel");
MODULE_LICENSE("GPL");
