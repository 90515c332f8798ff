/* SPDX-License-Identifier: GPL-2.0-only */
/* How a trace event's fields are described (pkvm-abi.md 2.8). */
#pragma once

#include <linux/types.h>

struct trace_event_fields {
	const char *type;
	const char *name;
	int size;
	int align;
	unsigned int is_signed;
	int filter_type;
	int len;
};
