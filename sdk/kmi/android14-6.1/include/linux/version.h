/* SPDX-License-Identifier: GPL-2.0-only */
/* android14-6.1: for modules that are built for several generations. */
#pragma once

#define KERNEL_VERSION(major, minor, patch) \
	(((major) << 16) + ((minor) << 8) + ((patch) > 255 ? 255 : (patch)))
#define LINUX_VERSION_CODE KERNEL_VERSION(6, 1, 75)
