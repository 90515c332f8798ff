// SPDX-License-Identifier: GPL-2.0-only
// Uses what exporter exports; without it, both symbols are missing.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

extern int exporter_count;
int exporter_add(int number);

static int __init importer_init(void)
{
	const int sum = exporter_add(2);

	pr_info("importer: %d, %d\n", sum, exporter_count);
	return 0;
}
module_init(importer_init);

MODULE_DESCRIPTION("Needs the symbols of another module");
MODULE_LICENSE("GPL");
