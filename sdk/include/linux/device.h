/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices and their drivers, as far as the kernel here has them. Fields that both sides use lie where
 * an Android kernel has them up to driver_data; what follows there depends on the kernel's options,
 * so that drivers reach the node with dev_of_node() or the of_* and device_* functions.
 */
#pragma once

#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/types.h>

struct bus_type;
struct device_node;
struct device_private;
struct device_type;
struct of_device_id;

struct kobject {
	const char *name;
	u64 __reserved[11];
};
static_assert(sizeof(struct kobject) == 96);

enum probe_type {
	PROBE_DEFAULT_STRATEGY,
	PROBE_PREFER_ASYNCHRONOUS,
	PROBE_FORCE_SYNCHRONOUS,
};

struct device;

struct device_driver {
	const char *name;
	const struct bus_type *bus;
	struct module *owner;
	const char *mod_name;
	bool suppress_bind_attrs;
	enum probe_type probe_type;
	const struct of_device_id *of_match_table;
	const void *acpi_match_table;
	int (*probe)(struct device *dev);
	void (*sync_state)(struct device *dev);
	int (*remove)(struct device *dev);
	void (*shutdown)(struct device *dev);
	int (*suspend)(struct device *dev, int state);
	int (*resume)(struct device *dev);
	const void *groups;
	const void *dev_groups;
	const void *pm;
	void (*coredump)(struct device *dev);
	void *p;
	u64 __reserved[4];
};

struct device {
	struct kobject kobj;
	struct device *parent;
	struct device_private *p;
	const char *init_name;
	const struct device_type *type;
	const struct bus_type *bus;
	struct device_driver *driver;
	void *platform_data;
	void *driver_data;
	struct mutex mutex;
	u64 __reserved[16];
	struct device_node *of_node; /* the kernel here sets it; no Android kernel has it just here */
	u64 __reserved_behind[64];
};

static inline const char *dev_name(const struct device *dev)
{
	return dev->init_name ? dev->init_name : dev->kobj.name;
}

static inline void dev_set_drvdata(struct device *dev, void *data)
{
	dev->driver_data = data;
}

static inline void *dev_get_drvdata(const struct device *dev)
{
	return dev->driver_data;
}

static inline void *dev_get_platdata(const struct device *dev)
{
	return dev->platform_data;
}

static inline struct device_node *dev_of_node(struct device *dev)
{
	return dev ? dev->of_node : NULL;
}

__printf(2, 3) void _dev_emerg(const struct device *dev, const char *format, ...);
__printf(2, 3) void _dev_alert(const struct device *dev, const char *format, ...);
__printf(2, 3) void _dev_crit(const struct device *dev, const char *format, ...);
__printf(2, 3) void _dev_err(const struct device *dev, const char *format, ...);
__printf(2, 3) void _dev_warn(const struct device *dev, const char *format, ...);
__printf(2, 3) void _dev_notice(const struct device *dev, const char *format, ...);
__printf(2, 3) void _dev_info(const struct device *dev, const char *format, ...);
__printf(3, 4) int dev_err_probe(const struct device *dev, int error, const char *format, ...);

#ifndef dev_fmt
#define dev_fmt(format) format
#endif
#define dev_emerg(dev, format, ...) _dev_emerg(dev, dev_fmt(format), ##__VA_ARGS__)
#define dev_alert(dev, format, ...) _dev_alert(dev, dev_fmt(format), ##__VA_ARGS__)
#define dev_crit(dev, format, ...) _dev_crit(dev, dev_fmt(format), ##__VA_ARGS__)
#define dev_err(dev, format, ...) _dev_err(dev, dev_fmt(format), ##__VA_ARGS__)
#define dev_warn(dev, format, ...) _dev_warn(dev, dev_fmt(format), ##__VA_ARGS__)
#define dev_notice(dev, format, ...) _dev_notice(dev, dev_fmt(format), ##__VA_ARGS__)
#define dev_info(dev, format, ...) _dev_info(dev, dev_fmt(format), ##__VA_ARGS__)
#define dev_dbg(dev, format, ...)                                 \
	do {                                                      \
		if (0)                                            \
			_dev_info(dev, dev_fmt(format), ##__VA_ARGS__); \
	} while (0)

/* Memory that goes when the driver leaves the device. */
void *devm_kmalloc(struct device *dev, size_t size, gfp_t flags);
void *devm_kmemdup(struct device *dev, const void *from, size_t size, gfp_t flags);
char *devm_kstrdup(struct device *dev, const char *text, gfp_t flags);
__printf(3, 4) char *devm_kasprintf(struct device *dev, gfp_t flags, const char *format, ...);
void devm_kfree(struct device *dev, const void *object);
int __devm_add_action(struct device *dev, void (*action)(void *), void *data, const char *name);

#define devm_add_action(dev, action, data) __devm_add_action(dev, action, data, #action)

static inline void *devm_kzalloc(struct device *dev, size_t size, gfp_t flags)
{
	return devm_kmalloc(dev, size, flags | __GFP_ZERO);
}

static inline void *devm_kcalloc(struct device *dev, size_t count, size_t size, gfp_t flags)
{
	size_t bytes;

	if (check_mul_overflow(count, size, &bytes))
		return NULL;
	return devm_kzalloc(dev, bytes, flags);
}

static inline int devm_add_action_or_reset(struct device *dev, void (*action)(void *), void *data)
{
	const int error = devm_add_action(dev, action, data);

	if (error)
		action(data);
	return error;
}

struct device *get_device(struct device *dev);
void put_device(struct device *dev);
__printf(2, 3) int dev_set_name(struct device *dev, const char *format, ...);

/* A module whose init registers a driver and whose exit takes it back. */
#define module_driver(driver, register_driver, unregister_driver, ...) \
	static int __init driver##_init(void)                          \
	{                                                              \
		return register_driver(&(driver), ##__VA_ARGS__);      \
	}                                                              \
	module_init(driver##_init);                                    \
	static void __exit driver##_exit(void)                         \
	{                                                              \
		unregister_driver(&(driver), ##__VA_ARGS__);           \
	}                                                              \
	module_exit(driver##_exit)
