/* SPDX-License-Identifier: GPL-2.0-only */
/* Firmware files: the kernel here has none. */
#pragma once

#include <linux/device.h>
#include <linux/types.h>

struct firmware {
	size_t size;
	const u8 *data;
	void *priv;
};

int request_firmware(const struct firmware **firmware, const char *name, struct device *dev);
int request_firmware_direct(const struct firmware **firmware, const char *name, struct device *dev);
int firmware_request_nowarn(const struct firmware **firmware, const char *name, struct device *dev);
void release_firmware(const struct firmware *firmware);
