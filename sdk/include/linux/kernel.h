/* SPDX-License-Identifier: GPL-2.0-only */
/* Small helpers that kernel code takes for granted. */
#pragma once

#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/printk.h>
#include <linux/sprintf.h>
#include <linux/types.h>

#define ARRAY_SIZE(array)                                                                    \
	(sizeof(array) / sizeof((array)[0]) +                                                \
	 0 * sizeof(struct {                                                                 \
		 int not_an_array : 1 - 2 * __builtin_types_compatible_p(                    \
						__typeof__(array), __typeof__(&(array)[0])); \
	 }))

#define min(a, b)                              \
	({                                     \
		const __typeof__(a) __min_a = (a); \
		const __typeof__(b) __min_b = (b); \
		__min_a < __min_b ? __min_a : __min_b; \
	})
#define max(a, b)                              \
	({                                     \
		const __typeof__(a) __max_a = (a); \
		const __typeof__(b) __max_b = (b); \
		__max_a > __max_b ? __max_a : __max_b; \
	})

#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define clamp(value, low, high) min(max(value, low), high)

#define __ALIGN_MASK_OF(x, n) ((__typeof__(x))(n) - 1)
#define ALIGN(x, n) (((x) + __ALIGN_MASK_OF(x, n)) & ~__ALIGN_MASK_OF(x, n))
#define ALIGN_DOWN(x, n) ((x) & ~__ALIGN_MASK_OF(x, n))
#define IS_ALIGNED(x, n) (((x) & __ALIGN_MASK_OF(x, n)) == 0)
#define PTR_ALIGN(pointer, n) ((__typeof__(pointer))ALIGN((unsigned long)(pointer), (n)))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define round_up(x, n) ALIGN(x, n)
#define round_down(x, n) ALIGN_DOWN(x, n)

#define container_of(pointer, type, member) \
	((type *)((char *)(1 ? (pointer) : &((type *)0)->member) - offsetof(type, member)))

/* Text to number: base 0 takes 0x and 0; 0, -EINVAL or -ERANGE. */
int kstrtoull(const char *text, unsigned int base, unsigned long long *result);
int kstrtoll(const char *text, unsigned int base, long long *result);
int kstrtos8(const char *text, unsigned int base, s8 *result);
int kstrtos16(const char *text, unsigned int base, s16 *result);
int kstrtouint(const char *text, unsigned int base, unsigned int *result);
int kstrtoint(const char *text, unsigned int base, int *result);
int kstrtou8(const char *text, unsigned int base, u8 *result);
int kstrtou16(const char *text, unsigned int base, u16 *result);
int kstrtobool(const char *text, bool *result);

static inline int kstrtoul(const char *text, unsigned int base, unsigned long *result)
{
	return kstrtoull(text, base, (unsigned long long *)result);
}

static inline int kstrtol(const char *text, unsigned int base, long *result)
{
	return kstrtoll(text, base, (long long *)result);
}

#define kstrtou64(text, base, result) kstrtoull(text, base, result)
#define kstrtos64(text, base, result) kstrtoll(text, base, result)
#define kstrtou32(text, base, result) kstrtouint(text, base, result)
#define kstrtos32(text, base, result) kstrtoint(text, base, result)

#ifndef __KVM_NVHE_HYPERVISOR__
__printf(1, 2) __noreturn void panic(const char *format, ...);
#endif

#define lower_32_bits(n) ((u32)(n))
#define upper_32_bits(n) ((u32)((n) >> 16 >> 16))
