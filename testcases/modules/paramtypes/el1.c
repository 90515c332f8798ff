// SPDX-License-Identifier: GPL-2.0-only
// A parameter of every type, and what they are when init runs.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

static u8 a_byte = 1;
static short a_short = -2;
static unsigned short a_ushort = 3;
static int an_int = -4;
static unsigned int a_uint = 5;
static long a_long = -6;
static unsigned long a_ulong = 7;
static unsigned long long a_ullong = 8;
static unsigned int a_hexint = 0x9;
static bool a_bool;
static bool inverted = true;
static char *text = "built in";
static char buffer[8] = "short";
static int list[4] = { 1, 2 };
static unsigned int list_count = 2;
static int even;

module_param(a_byte, byte, 0444);
module_param(a_short, short, 0444);
module_param(a_ushort, ushort, 0444);
module_param(an_int, int, 0644);
module_param(a_uint, uint, 0444);
module_param(a_long, long, 0444);
module_param(a_ulong, ulong, 0444);
module_param(a_ullong, ullong, 0444);
module_param(a_hexint, hexint, 0444);
module_param(a_bool, bool, 0444);
module_param(inverted, invbool, 0444);
module_param(text, charp, 0444);
module_param_string(buffer, buffer, sizeof(buffer), 0444);
module_param_array(list, int, &list_count, 0444);
MODULE_PARM_DESC(text, "any text");

/* A type of this module's own: even numbers. */
static int set_even(const char *value, const struct kernel_param *param)
{
	int number;
	int ret = kstrtoint(value, 0, &number);

	if (ret)
		return ret;
	if (number & 1)
		return -EINVAL;
	*(int *)param->arg = number;
	return 0;
}

static const struct kernel_param_ops even_ops = { .set = set_even };
module_param_cb(even, &even_ops, &even, 0444);

static int __init paramtypes_init(void)
{
	unsigned int i;

	pr_info("paramtypes: %u %d %u %d %u\n", a_byte, a_short, a_ushort, an_int, a_uint);
	pr_info("paramtypes: %ld %lu %llu 0x%x %d %d\n", a_long, a_ulong, a_ullong, a_hexint, a_bool,
		inverted);
	pr_info("paramtypes: text '%s' buffer '%s' even %d\n", text, buffer, even);
	for (i = 0; i < list_count; i++)
		pr_info("paramtypes: list[%u] = %d\n", i, list[i]);
	return 0;
}
module_init(paramtypes_init);

MODULE_DESCRIPTION("Parameters of every type");
MODULE_LICENSE("GPL");
