/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of the EL1 half. EL2 has no heap: it takes pages with its operations. */
#pragma once

#include <linux/gfp.h>
#include <linux/overflow.h>
#include <linux/types.h>
#include <linux/version.h>

/* What an allocation of 0 bytes answers; may be freed, not used. */
#define ZERO_SIZE_PTR ((void *)16)
#define ZERO_OR_NULL_PTR(pointer) ((unsigned long)(pointer) <= (unsigned long)ZERO_SIZE_PTR)

void *__kmalloc(size_t size, gfp_t flags);
void *krealloc(const void *object, size_t size, gfp_t flags);
void kfree(const void *object);
void kfree_sensitive(const void *object);
size_t ksize(const void *object);

static inline void *kmalloc(size_t size, gfp_t flags)
{
	return __kmalloc(size, flags);
}

static inline void *kzalloc(size_t size, gfp_t flags)
{
	return __kmalloc(size, flags | __GFP_ZERO);
}

#define kmalloc_node(size, flags, node) kmalloc(size, flags)
#define kzalloc_node(size, flags, node) kzalloc(size, flags)

/* NULL when the product overflows. */
static inline void *kmalloc_array(size_t count, size_t size, gfp_t flags)
{
	size_t bytes;

	if (check_mul_overflow(count, size, &bytes))
		return NULL;
	return __kmalloc(bytes, flags);
}

static inline void *krealloc_array(void *object, size_t count, size_t size, gfp_t flags)
{
	size_t bytes;

	if (check_mul_overflow(count, size, &bytes))
		return NULL;
	return krealloc(object, bytes, flags);
}

static inline void *kcalloc(size_t count, size_t size, gfp_t flags)
{
	return kmalloc_array(count, size, flags | __GFP_ZERO);
}

/* Objects of one size; `construct` runs on each that is handed out. */
struct kmem_cache;

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int alignment,
				     unsigned int flags, void (*construct)(void *object));
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t flags);
#else
struct kmem_cache_args {
	unsigned int align;
	unsigned int useroffset;
	unsigned int usersize;
	unsigned int freeptr_offset;
	bool use_freeptr_offset;
	void (*ctor)(void *object);
};
struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int size,
					    struct kmem_cache_args *arguments, unsigned int flags);
void *kmem_cache_alloc_noprof(struct kmem_cache *cache, gfp_t flags);

#define kmem_cache_alloc(cache, flags) kmem_cache_alloc_noprof(cache, flags)

static inline struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
						   unsigned int alignment, unsigned int flags,
						   void (*construct)(void *object))
{
	struct kmem_cache_args arguments = { .align = alignment, .ctor = construct };

	return __kmem_cache_create_args(name, size, &arguments, flags);
}
#endif
void kmem_cache_free(struct kmem_cache *cache, void *object);
void kmem_cache_destroy(struct kmem_cache *cache);
