// SPDX-License-Identifier: GPL-2.0-only
// Exports a function and a variable for importer.
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

int exporter_count = 40;
EXPORT_SYMBOL_GPL(exporter_count);

int exporter_add(int number);
int exporter_add(int number)
{
	exporter_count += number;
	return exporter_count;
}
EXPORT_SYMBOL(exporter_add);

static int __init exporter_init(void)
{
	pr_info("exporter: ready\n");
	return 0;
}
module_init(exporter_init);

MODULE_DESCRIPTION("Symbols for other modules");
MODULE_LICENSE("GPL");
