// SPDX-License-Identifier: GPL-2.0-only
// Imports functions that no kernel here has.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

int vendor_probe(int number);
void *vendor_map(unsigned long address);

static int __init unresolved_init(void)
{
	const int first = vendor_probe(7);
	const int second = vendor_probe(8);

	pr_info("unresolved: %d %d, mapped %d\n", first, second, vendor_map(0x1000) != NULL);
	return 0;
}
module_init(unresolved_init);

MODULE_DESCRIPTION("Needs symbols that nobody exports");
MODULE_LICENSE("GPL");
