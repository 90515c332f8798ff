/* SPDX-License-Identifier: GPL-2.0-only */
/* Properties of a device, wherever they come from: here, its node in the devicetree. */
#pragma once

#include <linux/device.h>

bool device_property_present(const struct device *dev, const char *name);
int device_property_read_u32_array(const struct device *dev, const char *name, u32 *out,
				   size_t count);
int device_property_read_u64_array(const struct device *dev, const char *name, u64 *out,
				   size_t count);
int device_property_read_string(const struct device *dev, const char *name, const char **out);
const void *device_get_match_data(const struct device *dev);

#define device_property_read_bool(dev, name) device_property_present(dev, name)
#define device_property_read_u32(dev, name, out) device_property_read_u32_array(dev, name, out, 1)
#define device_property_read_u64(dev, name, out) device_property_read_u64_array(dev, name, out, 1)
