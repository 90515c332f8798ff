/* SPDX-License-Identifier: GPL-2.0-only */
/* What drivers match devices by. */
#pragma once

#include <linux/types.h>

struct of_device_id {
	char name[32];
	char type[32];
	char compatible[128];
	const void *data;
};

struct platform_device_id {
	char name[24];
	unsigned long driver_data;
};

/* For user space, which finds a module for a device by it: nothing here reads it. */
#define MODULE_DEVICE_TABLE(type, table) \
	static const void *__used __section(".discard.addressable") __device_table_##table = &(table)
