/* SPDX-License-Identifier: GPL-2.0-only */
/* Device registers and memory of devices at EL1. EL2 maps with its operations. */
#pragma once

#include <asm/io.h>
#include <linux/types.h>

#define MEMREMAP_WB 1
#define MEMREMAP_WT 2
#define MEMREMAP_WC 4

void __iomem *ioremap(phys_addr_t address, size_t size);
void iounmap(volatile void __iomem *address);
void *memremap(phys_addr_t address, size_t size, unsigned long flags);
void memunmap(void *address);
void __memcpy_fromio(void *to, const volatile void __iomem *from, size_t size);
void __memcpy_toio(volatile void __iomem *to, const void *from, size_t size);
void __memset_io(volatile void __iomem *to, int value, size_t size);

#define memcpy_fromio(to, from, size) __memcpy_fromio(to, from, size)
#define memcpy_toio(to, from, size) __memcpy_toio(to, from, size)
#define memset_io(to, value, size) __memset_io(to, value, size)
