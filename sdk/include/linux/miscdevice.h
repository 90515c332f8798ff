/* SPDX-License-Identifier: GPL-2.0-only */
/* Character devices with a minor number of their own. Nothing here ever opens one. */
#pragma once

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/list.h>

#define MISC_DYNAMIC_MINOR 255

struct miscdevice {
	int minor;
	const char *name;
	const struct file_operations *fops;
	struct list_head list;
	struct device *parent;
	struct device *this_device;
	const void *groups;
	const char *nodename;
	umode_t mode;
};

int misc_register(struct miscdevice *device);
void misc_deregister(struct miscdevice *device);
