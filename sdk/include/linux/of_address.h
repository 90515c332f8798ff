/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of nodes. */
#pragma once

#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/of.h>

int of_address_to_resource(struct device_node *node, int index, struct resource *out);
void __iomem *of_iomap(struct device_node *node, int index);
