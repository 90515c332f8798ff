/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory for devices, which see physical addresses here. */
#pragma once

#include <linux/device.h>
#include <linux/types.h>

#define DMA_BIT_MASK(bits) ((bits) == 64 ? ~0ULL : (1ULL << (bits)) - 1)

void *dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *handle, gfp_t flags,
		      unsigned long attributes);
void dma_free_attrs(struct device *dev, size_t size, void *address, dma_addr_t handle,
		    unsigned long attributes);
int dma_set_mask(struct device *dev, u64 mask);
int dma_set_coherent_mask(struct device *dev, u64 mask);

#define dma_alloc_coherent(dev, size, handle, flags) dma_alloc_attrs(dev, size, handle, flags, 0)
#define dma_free_coherent(dev, size, address, handle) dma_free_attrs(dev, size, address, handle, 0)

static inline int dma_set_mask_and_coherent(struct device *dev, u64 mask)
{
	const int error = dma_set_mask(dev, mask);

	return error ? error : dma_set_coherent_mask(dev, mask);
}
