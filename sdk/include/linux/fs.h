/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of drivers. Nothing here ever opens one, so that only their users' spelling matters. */
#pragma once

#include <linux/types.h>

struct file;
struct inode;
struct module;
struct vm_area_struct;

struct file_operations {
	struct module *owner;
	loff_t (*llseek)(struct file *file, loff_t offset, int whence);
	ssize_t (*read)(struct file *file, char *buffer, size_t size, loff_t *offset);
	ssize_t (*write)(struct file *file, const char *buffer, size_t size, loff_t *offset);
	long (*unlocked_ioctl)(struct file *file, unsigned int command, unsigned long argument);
	long (*compat_ioctl)(struct file *file, unsigned int command, unsigned long argument);
	int (*mmap)(struct file *file, struct vm_area_struct *area);
	int (*open)(struct inode *inode, struct file *file);
	int (*release)(struct inode *inode, struct file *file);
};

int simple_open(struct inode *inode, struct file *file);
loff_t no_llseek(struct file *file, loff_t offset, int whence);
