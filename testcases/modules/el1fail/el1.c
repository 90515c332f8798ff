// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half gives up before it loads its EL2 half.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int __init el1fail_init(void)
{
	pr_err("el1fail: no such device here\n");
	return -EINVAL;
}
module_init(el1fail_init);

MODULE_DESCRIPTION("Never loads its EL2 half");
MODULE_LICENSE("GPL");
