/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Platform devices and their drivers. struct platform_driver is the generation's; of struct
 * platform_device what lies behind `dev` has places of its own here (docs/fidelity.md).
 */
#pragma once

#include <linux/device.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mod_devicetable.h>
#include <linux/version.h>

#define PLATFORM_DEVID_NONE (-1)

struct platform_device {
	const char *name;
	int id;
	bool id_auto;
	struct device dev;
	u32 num_resources;
	struct resource *resource;
};
static_assert(offsetof(struct platform_device, dev) == 16);

struct platform_driver {
	int (*probe)(struct platform_device *device);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	int (*remove)(struct platform_device *device);
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
	int (*remove)(struct platform_device *device);
	void (*remove_new)(struct platform_device *device);
#else
	union {
		void (*remove)(struct platform_device *device);
		void (*remove_new)(struct platform_device *device);
	};
#endif
	void (*shutdown)(struct platform_device *device);
	int (*suspend)(struct platform_device *device, int state);
	int (*resume)(struct platform_device *device);
	struct device_driver driver;
	const struct platform_device_id *id_table;
	bool prevent_deferred_probe;
	bool driver_managed_dma;
};

#define to_platform_device(device) container_of((device), struct platform_device, dev)

int __platform_driver_register(struct platform_driver *driver, struct module *owner);
int __platform_driver_probe(struct platform_driver *driver,
			    int (*probe)(struct platform_device *device), struct module *owner);
void platform_driver_unregister(struct platform_driver *driver);
struct resource *platform_get_resource(struct platform_device *device, unsigned int type,
				       unsigned int index);
struct resource *platform_get_resource_byname(struct platform_device *device, unsigned int type,
					      const char *name);
int platform_get_irq(struct platform_device *device, unsigned int index);
int platform_get_irq_optional(struct platform_device *device, unsigned int index);
int platform_irq_count(struct platform_device *device);
void __iomem *devm_platform_ioremap_resource(struct platform_device *device, unsigned int index);
void __iomem *devm_platform_get_and_ioremap_resource(struct platform_device *device,
						     unsigned int index, struct resource **out);
void __iomem *devm_ioremap_resource(struct device *dev, const struct resource *resource);

#define platform_driver_register(driver) __platform_driver_register(driver, THIS_MODULE)
#define platform_driver_probe(driver, probe) __platform_driver_probe(driver, probe, THIS_MODULE)
#define module_platform_driver(driver) \
	module_driver(driver, platform_driver_register, platform_driver_unregister)

static inline void *platform_get_drvdata(const struct platform_device *device)
{
	return dev_get_drvdata(&device->dev);
}

static inline void platform_set_drvdata(struct platform_device *device, void *data)
{
	dev_set_drvdata(&device->dev, data);
}
