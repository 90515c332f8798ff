/* SPDX-License-Identifier: GPL-2.0-only */
/* Ranges of addresses and numbers of interrupts that a device has. */
#pragma once

#include <linux/types.h>

typedef phys_addr_t resource_size_t;

struct resource {
	resource_size_t start;
	resource_size_t end; /* the last one */
	const char *name;
	unsigned long flags;
	unsigned long desc;
	struct resource *parent, *sibling, *child;
	u64 __reserved[4];
};

#define IORESOURCE_MEM 0x00000200
#define IORESOURCE_IRQ 0x00000400

extern struct resource iomem_resource;

static inline resource_size_t resource_size(const struct resource *resource)
{
	return resource->end - resource->start + 1;
}
