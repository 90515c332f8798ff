// SPDX-License-Identifier: GPL-2.0-only
// Tells what sorting, searching, number spaces, sparse arrays, notifier chains, the secure world and the
// devicetree answer.
#include <linux/arm-smccc.h>
#include <linux/bsearch.h>
#include <linux/idr.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/sort.h>
#include <linux/xarray.h>

static int compare(const void *a, const void *b)
{
	const int left = *(const int *)a;
	const int right = *(const int *)b;

	return (left > right) - (left < right);
}

static void sorting(void)
{
	int numbers[] = { 9, -3, 7, 7, 0, 12, -8, 5, 1 };
	const int wanted = 12;
	const int absent = 6;
	const int *found;

	sort(numbers, ARRAY_SIZE(numbers), sizeof(numbers[0]), compare, NULL);
	pr_info("sorted: %d %d %d %d %d %d %d %d %d\n", numbers[0], numbers[1], numbers[2], numbers[3],
		numbers[4], numbers[5], numbers[6], numbers[7], numbers[8]);
	found = bsearch(&wanted, numbers, ARRAY_SIZE(numbers), sizeof(numbers[0]), compare);
	pr_info("searched: %d, %d\n", found ? (int)(found - numbers) : -1,
		bsearch(&absent, numbers, ARRAY_SIZE(numbers), sizeof(numbers[0]), compare) != NULL);
}

static int add_id(int id, void *pointer, void *data)
{
	*(int *)data += id;
	return 0;
}

static void numbering(void)
{
	DEFINE_IDR(idr);
	DEFINE_IDA(ida);
	int sum = 0;
	int first, second, third;

	first = idr_alloc(&idr, &idr, 5, 8, GFP_KERNEL);
	second = idr_alloc(&idr, &ida, 5, 8, GFP_KERNEL);
	third = idr_alloc(&idr, &sum, 5, 8, GFP_KERNEL);
	pr_info("idr: %d %d %d, full %d\n", first, second, third,
		idr_alloc(&idr, &sum, 5, 8, GFP_KERNEL));
	pr_info("idr: found %d, removed %d, gone %d, again %d\n", idr_find(&idr, 6) == &ida,
		idr_remove(&idr, 6) == &ida, idr_find(&idr, 6) == NULL,
		idr_alloc(&idr, &sum, 0, 0, GFP_KERNEL));
	idr_for_each(&idr, add_id, &sum);
	idr_destroy(&idr);
	pr_info("idr: sum %d, empty %d\n", sum, idr_is_empty(&idr));
	first = ida_alloc(&ida, GFP_KERNEL);
	second = ida_alloc_range(&ida, 0, 1, GFP_KERNEL);
	third = ida_alloc_range(&ida, 0, 1, GFP_KERNEL);
	ida_free(&ida, 0);
	pr_info("ida: %d %d %d, then %d\n", first, second, third, ida_alloc(&ida, GFP_KERNEL));
	ida_destroy(&ida);
}

static void sparse(void)
{
	DEFINE_XARRAY(array);
	unsigned long index;
	unsigned long seen = 0;
	void *entry;

	xa_store(&array, 1000, (void *)0x10, GFP_KERNEL);
	xa_store(&array, 3, (void *)0x20, GFP_KERNEL);
	entry = xa_store(&array, 1000, (void *)0x30, GFP_KERNEL);
	xa_for_each(&array, index, entry)
		seen = seen * 10000 + index;
	pr_info("xarray: seen %lu, at 1000 0x%lx, nothing %d\n", seen,
		(unsigned long)xa_load(&array, 1000), xa_load(&array, 4) == NULL);
	xa_erase(&array, 3);
	xa_erase(&array, 1000);
	pr_info("xarray: empty %d\n", xa_empty(&array));
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

static void notifying(void)
{
	RAW_NOTIFIER_HEAD(chain);

	raw_notifier_chain_register(&chain, &second_block);
	raw_notifier_chain_register(&chain, &first_block);
	raw_notifier_call_chain(&chain, 1, NULL);
	raw_notifier_call_chain(&chain, 2, NULL);
	raw_notifier_chain_unregister(&chain, &first_block);
	raw_notifier_call_chain(&chain, 2, NULL);
	pr_info("notified: %d, absent %d\n", told, raw_notifier_chain_unregister(&chain, &first_block));
}

static void devicetree(void)
{
	struct device_node *uart = of_find_compatible_node(NULL, NULL, "arm,pl011");
	struct resource resource;
	const char *second = "none";
	u32 none = 77;

	of_property_read_string_index(uart, "compatible", 1, &second);
	pr_info("of: %s at 0x%llx, second %s\n", uart->full_name,
		of_address_to_resource(uart, 0, &resource) ? 0 : resource.start, second);
	pr_info("of: match %d, no match %d, no property %d, too short %d, kept %u\n",
		of_property_match_string(uart, "compatible", "arm,primecell"),
		of_property_match_string(uart, "compatible", "arm,other"),
		of_property_read_u32(uart, "nosuch", &none),
		of_property_read_u32_array(of_find_node_by_path("/"), "#size-cells", &none, 2), none);
	pr_info("of: clock %s\n", of_parse_phandle(uart, "clocks", 1)->full_name);
	pr_info("of: no node %d, RAM is no device %d\n",
		of_find_compatible_node(NULL, NULL, "nobody,here") == NULL,
		ioremap(0x50000000, 0x1000) == NULL);
}

static int __init collections_init(void)
{
	sorting();
	numbering();
	sparse();
	notifying();
	devicetree();
	return 0;
}
module_init(collections_init);

MODULE_DESCRIPTION("Uses what the kernel has for its modules besides memory and strings");
MODULE_LICENSE("GPL");
