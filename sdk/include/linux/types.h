/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Integer types under the kernel's names. Their spelling matters: kCFI hashes a function's type by
 * name, so u64 has to be `unsigned long long` and size_t `unsigned long` (pkvm-abi.md 1.8).
 */
#pragma once

#include <linux/compiler.h>

typedef signed char s8;
typedef unsigned char u8;
typedef short s16;
typedef unsigned short u16;
typedef int s32;
typedef unsigned int u32;
typedef long long s64;
typedef unsigned long long u64;

typedef s8 __s8;
typedef u8 __u8;
typedef s16 __s16;
typedef u16 __u16;
typedef s32 __s32;
typedef u32 __u32;
typedef s64 __s64;
typedef u64 __u64;
typedef u32 __le32;
typedef u64 __le64;

typedef u8 uint8_t;
typedef u16 uint16_t;
typedef u32 uint32_t;
typedef u64 uint64_t;
typedef s32 int32_t;
typedef s64 int64_t;

typedef unsigned long size_t;
typedef long ssize_t;
typedef long ptrdiff_t;
typedef unsigned long uintptr_t;
typedef u64 phys_addr_t;
typedef u64 dma_addr_t;
typedef unsigned int gfp_t;
typedef unsigned short umode_t;
typedef long long loff_t;

typedef _Bool bool;
enum { false = 0, true = 1 };

#define NULL ((void *)0)
#define offsetof(type, member) __builtin_offsetof(type, member)

typedef struct {
	int counter;
} atomic_t;

struct list_head {
	struct list_head *next, *prev;
};
