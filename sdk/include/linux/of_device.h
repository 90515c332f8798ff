/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices and their nodes. */
#pragma once

#include <linux/device.h>
#include <linux/of.h>

const struct of_device_id *of_match_device(const struct of_device_id *table,
					   const struct device *dev);
const void *of_device_get_match_data(const struct device *dev);
