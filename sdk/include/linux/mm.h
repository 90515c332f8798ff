/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory management, as far as modules here use it: pages, addresses, vmalloc. */
#pragma once

#include <asm/memory.h>
#include <asm/page.h>
#include <linux/gfp.h>
#include <linux/types.h>
#include <linux/vmalloc.h>

void *kvmalloc_node(size_t size, gfp_t flags, int node);
void kvfree(const void *memory);

#define kvmalloc(size, flags) kvmalloc_node(size, flags, -1)
#define kvzalloc(size, flags) kvmalloc_node(size, (flags) | __GFP_ZERO, -1)
