// SPDX-License-Identifier: GPL-2.0-only
// A platform driver that tells all it learns about its devices. Properties of the node decide how it
// behaves: fails = <errno>, later = waits until a device with `supplier` was bound.
#include <linux/device.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_device.h>
#include <linux/platform_device.h>

struct sample {
	u32 prop;
};

static bool supplied;
static bool leaves;
module_param(leaves, bool, 0);
static bool forgets;
module_param(forgets, bool, 0);

static void sample_gone(void *data)
{
	pr_info("driver: managed data %u goes\n", ((struct sample *)data)->prop);
}

static int sample_probe(struct platform_device *device)
{
	struct device_node *node = dev_of_node(&device->dev);
	const char *kind = of_device_get_match_data(&device->dev);
	struct resource *memory = platform_get_resource(device, IORESOURCE_MEM, 0);
	const char *label = "none";
	struct sample *sample;
	u32 failure = 0;
	int error;

	sample = devm_kzalloc(&device->dev, sizeof(*sample), GFP_KERNEL);
	if (!sample)
		return -ENOMEM;
	error = of_property_read_u32(node, "prop", &sample->prop);
	of_property_read_string(node, "label", &label);
	if (devm_add_action_or_reset(&device->dev, sample_gone, sample))
		return -ENOMEM;
	dev_info(&device->dev, "%s, prop %u (%d), label %s, irq %d\n", kind, sample->prop, error, label,
		 platform_get_irq_optional(device, 0));
	if (memory)
		dev_info(&device->dev, "registers 0x%llx, 0x%llx bytes\n", memory->start,
			 resource_size(memory));
	if (of_property_read_bool(node, "supplier"))
		supplied = true;
	if (of_property_read_bool(node, "later") && !supplied)
		return dev_err_probe(&device->dev, -EPROBE_DEFER, "no supplier yet\n");
	if (!of_property_read_u32(node, "fails", &failure))
		return dev_err_probe(&device->dev, -(int)failure, "as it was told to\n");
	platform_set_drvdata(device, sample);
	return 0;
}

static void sample_leaves(struct platform_device *device)
{
	const struct sample *sample = platform_get_drvdata(device);

	dev_info(&device->dev, "remove, prop %u\n", sample->prop);
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static int sample_remove(struct platform_device *device)
{
	sample_leaves(device);
	return 0;
}
#else
#define sample_remove sample_leaves
#endif

static void sample_shutdown(struct platform_device *device)
{
	const struct sample *sample = platform_get_drvdata(device);

	dev_info(&device->dev, "shutdown, prop %u\n", sample->prop);
}

static const struct of_device_id sample_matches[] = {
	{ .compatible = "vendor,sample", .data = "a sample" },
	{ .compatible = "vendor,other", .data = "another one" },
	{}
};
MODULE_DEVICE_TABLE(of, sample_matches);

static struct platform_driver sample_driver = {
	.probe = sample_probe,
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	.remove = sample_remove,
#else
	.remove_new = sample_remove,
#endif
	.shutdown = sample_shutdown,
	.driver = {
		.name = "sample",
		.of_match_table = of_match_ptr(sample_matches),
	},
};

static int __init driver_init(void)
{
	int error = platform_driver_register(&sample_driver);

	pr_info("driver: registered: %d, again: %d\n", error, platform_driver_register(&sample_driver));
	if (leaves)
		platform_driver_unregister(&sample_driver);
	/* A defect that real drivers have: the module goes, its driver stays. */
	return forgets ? -ENODEV : error;
}
module_init(driver_init);

static void __exit driver_exit(void)
{
	platform_driver_unregister(&sample_driver);
}
module_exit(driver_exit);

MODULE_DESCRIPTION("A platform driver");
MODULE_LICENSE("GPL");
