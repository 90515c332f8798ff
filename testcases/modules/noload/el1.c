// SPDX-License-Identifier: GPL-2.0-only
// An ordinary module without an EL2 half; the protected list may name one.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init noload_init(void)
{
	pr_info("noload: initialised\n");
	return 0;
}
module_init(noload_init);

static void __exit noload_exit(void)
{
	pr_info("noload: left\n");
}
module_exit(noload_exit);

MODULE_DESCRIPTION("Has no EL2 half");
MODULE_LICENSE("GPL");
