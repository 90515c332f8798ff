/* SPDX-License-Identifier: GPL-2.0-only */
/* What .modinfo is made of: NUL-terminated `tag=text` strings. */
#pragma once

#include <linux/compiler.h>

#define __MODULE_INFO(tag, name, text)                                                   \
	static const char __UNIQUE_ID(name)[] __used __section(".modinfo") __aligned(1) = \
		__stringify(tag) "=" text
