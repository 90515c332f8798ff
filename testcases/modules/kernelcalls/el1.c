// SPDX-License-Identifier: GPL-2.0-only
// Tells what pages, wait queues, notifier chains, object caches and sscanf answer; or, by `what`, uses
// them wrongly: "asleep" sleeps with nobody to wake it, "twice" frees a page twice.
#include <asm/kvm_host.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/version.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "kernel.h"

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

/* Two pages side by side, the second one first. */
static void mapping(void)
{
	struct page *first = alloc_page(GFP_KERNEL);
	struct page *second = alloc_page(GFP_KERNEL);
	struct page *pages[2] = { second, first };
	struct page *none[1] = { (struct page *)&pages };
	u64 *both;

	*(u64 *)page_address(first) = 1;
	*(u64 *)page_address(second) = 2;
	both = vmap(pages, 2, 0, 0);
	both[0] += 10;
	pr_info("mapped: %llu %llu, behind %llu, same %d\n", both[0], both[512],
		*(u64 *)page_address(pages[0]), vmalloc_to_page(both + 512) == pages[1]);
	vunmap(both);
	vunmap(both);
	pr_info("mapped: none %d\n", vmap(none, 1, 0, 0) == NULL);
	__free_page(pages[0]);
	__free_page(pages[1]);
}

static int even;
static int set_even(const char *value, const struct kernel_param *param)
{
	const int status = param_set_int(value, param);

	return status ? status : *(int *)param->arg % 2 ? -EINVAL : 0;
}
static const struct kernel_param_ops even_ops = { .set = set_even, .get = param_get_int };
module_param_cb(even, &even_ops, &even, 0);

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

/* As rb_link_node() and the search before it are inline. */
struct thing {
	struct rb_node node;
	int key;
};

static void plant(struct rb_root *root, struct thing *thing)
{
	struct rb_node **link = &root->top;
	struct rb_node *parent = NULL;

	while (*link) {
		parent = *link;
		link = thing->key < container_of(parent, struct thing, node)->key ? &parent->left :
										     &parent->right;
	}
	thing->node = (struct rb_node){ .parent = (unsigned long)parent };
	*link = &thing->node;
	rb_insert_color(&thing->node, root);
}

/* All keys in their order, twice: there and back. */
static void walk(const struct rb_root *root, const char *when)
{
	struct rb_node *node;
	long there = 0, back = 0;

	for (node = rb_first(root); node; node = rb_next(node))
		there = there * 10 + container_of(node, struct thing, node)->key;
	for (node = rb_last(root); node; node = rb_prev(node))
		back = back * 10 + container_of(node, struct thing, node)->key;
	pr_info("tree: %s %ld and %ld\n", when, there, back);
}

static void planting(void)
{
	static struct thing things[8];
	static const int keys[8] = { 4, 2, 6, 1, 3, 5, 7, 8 };
	struct rb_root root = {};
	int i;

	for (i = 0; i < 8; i++) {
		things[i].key = keys[i];
		plant(&root, &things[i]);
	}
	walk(&root, "all");
	rb_erase(&things[0].node, &root);
	rb_erase(&things[3].node, &root);
	rb_erase(&things[2].node, &root);
	walk(&root, "some");
	plant(&root, &things[0]);
	for (i = 1; i < 8; i++)
		if (i != 2 && i != 3)
			rb_erase(&things[i].node, &root);
	walk(&root, "one");
}

static void locking(void)
{
	rwlock_t lock = {};
	struct rw_semaphore both = {};
	struct semaphore two = { .count = 2 };
	unsigned long flags;

	_raw_read_lock(&lock);
	_raw_read_lock(&lock);
	_raw_read_unlock(&lock);
	pr_info("rwlock: read 0x%x, write %d\n", lock.count, _raw_write_trylock(&lock));
	_raw_read_unlock(&lock);
	flags = _raw_write_lock_irqsave(&lock);
	pr_info("rwlock: written 0x%x, read %d\n", lock.count, _raw_read_trylock(&lock));
	_raw_write_unlock_irqrestore(&lock, flags);
	down_read(&both);
	pr_info("rwsem: read %d, write %d\n", down_read_trylock(&both), down_write_trylock(&both));
	up_read(&both);
	up_read(&both);
	down_write(&both);
	pr_info("rwsem: written, read %d\n", down_read_trylock(&both));
	downgrade_write(&both);
	pr_info("rwsem: downgraded, read %d\n", down_read_trylock(&both));
	down(&two);
	pr_info("semaphore: taken %d, refused %d\n", !down_trylock(&two), down_trylock(&two));
	up(&two);
	pr_info("semaphore: again %d\n", !down_trylock(&two));
}

static void helping(void)
{
	static const char *const names[] = { "off", "on", "auto", NULL };
	struct ratelimit_state limit = { .interval = 1000, .burst = 2 };
	u8 bytes[3] = { 0x0f, 0xa0, 0x5c };
	char hex[7] = "";
	char *page = (char *)get_zeroed_page(GFP_KERNEL);
	char *end;
	u32 count = 0;
	int said = 0, i, size;

	for (i = 0; i < 5; i++)
		said += ___ratelimit(&limit, "helping");
	pr_info("limit: said %d, missed %d\n", said, limit.missed);
	refcount_warn_saturate(&count, 3);
	pr_info("refcount: 0x%x\n", count);
	bin2hex(hex, bytes, 3);
	pr_info("hex: %s, bad %d\n", hex, hex2bin(bytes, "12zz", 2));
	pr_info("numbers: 0x%llx, %ld", simple_strtoull("0x1fg", &end, 0), simple_strtol("-12", NULL, 10));
	pr_cont(", rest %s\n", end);
	size = sysfs_emit(page, "%d,", 12);
	size += sysfs_emit_at(page, size, "%s\n", "ab");
	pr_info("emitted: %d, same %d, other %d, at %d, nowhere %d\n", size, sysfs_streq(page, "12,ab"),
		sysfs_streq(page, "12,a"), match_string(names, 4, "auto"), match_string(names, 4, "x"));
	pr_info("random: %d, jiffies %lu\n", get_random_u32() != get_random_u32(), __msecs_to_jiffies(9));
	pr_info("nofault: %ld, %ld and %ld\n", copy_from_kernel_nofault(hex, names, 4),
		copy_from_kernel_nofault(hex, (void *)0x1000, 4),
		copy_from_kernel_nofault(hex, (void *)-4096UL, 4));
	free_page((unsigned long)page);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
static void scattering(void)
{
	const unsigned int entries = 200; /* more than a page of them */
	struct kvm_iommu_sg *list = alloc_pages_exact(2 * PAGE_SIZE, GFP_KERNEL);
	const int shared = kvm_iommu_share_hyp_sg(list, entries);

	pr_info("scattered: shared %d, unshared %d, again %d\n", shared,
		kvm_iommu_unshare_hyp_sg(list, entries), kvm_iommu_unshare_hyp_sg(list, entries));
	free_pages_exact(list, 2 * PAGE_SIZE);
}
#else
static void scattering(void)
{
}
#endif

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
	mapping();
	pr_info("parameter: %d\n", even);
	waiting();
	notifying();
	caching();
	scanning();
	planting();
	locking();
	helping();
	scattering();
	return 0;
}
module_init(kernelcalls_init);

MODULE_DESCRIPTION("Uses pages, wait queues, notifier chains, caches and sscanf of the kernel");
MODULE_LICENSE("GPL");
