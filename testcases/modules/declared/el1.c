// SPDX-License-Identifier: GPL-2.0-only
// An EL1 half that does what vendors' do before they load anything: a folder in debugfs, a character
// device, a firmware file; and goes on, as they do, when there is none of it.
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/firmware.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

static const struct file_operations declared_operations = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.llseek = no_llseek,
};

static struct miscdevice declared_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "declared",
	.fops = &declared_operations,
};

static int __init declared_init(void)
{
	const struct firmware *firmware = NULL;
	u32 counter = 0;
	struct dentry *folder;
	struct dentry *entry;

	folder = debugfs_create_dir("declared", NULL);
	entry = debugfs_create_file("regs", 0444, folder, NULL, &declared_operations);
	debugfs_create_u32("counter", 0444, folder, &counter);
	pr_info("declared: folder %ld, file %ld\n", PTR_ERR(folder), PTR_ERR(entry));
	pr_info("declared: misc device %d\n", misc_register(&declared_device));
	pr_info("declared: firmware %d\n", request_firmware(&firmware, "declared.bin", NULL));
	pr_info("declared: firmware again %d\n", request_firmware(&firmware, "other.bin", NULL));
	release_firmware(firmware);
	return 0;
}
module_init(declared_init);

MODULE_DESCRIPTION("Uses what a kernel without such hardware answers in a declared way");
MODULE_LICENSE("GPL");
