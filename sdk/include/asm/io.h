/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device accesses. As the kernel's: the relaxed forms are one load or store; the others order
 * earlier and later memory accesses against it.
 */
#pragma once

#include <linux/types.h>

#define __iomem

#define __IO_READ(name, type, load, width)                                       \
	static __always_inline type name(const volatile void __iomem *address)   \
	{                                                                        \
		type value;                                                      \
		__asm__ volatile(load " %" width "0, [%1]" : "=r"(value) : "r"(address)); \
		return value;                                                    \
	}
#define __IO_WRITE(name, type, store, width)                                     \
	static __always_inline void name(type value, volatile void __iomem *address) \
	{                                                                        \
		__asm__ volatile(store " %" width "0, [%1]" : : "rZ"(value), "r"(address)); \
	}
__IO_READ(readb_relaxed, u8, "ldrb", "w")
__IO_READ(readw_relaxed, u16, "ldrh", "w")
__IO_READ(readl_relaxed, u32, "ldr", "w")
__IO_READ(readq_relaxed, u64, "ldr", "x")
__IO_WRITE(writeb_relaxed, u8, "strb", "w")
__IO_WRITE(writew_relaxed, u16, "strh", "w")
__IO_WRITE(writel_relaxed, u32, "str", "w")
__IO_WRITE(writeq_relaxed, u64, "str", "x")
#undef __IO_READ
#undef __IO_WRITE

#define __io_after_read() __asm__ volatile("dmb oshld" : : : "memory")
#define __io_before_write() __asm__ volatile("dmb oshst" : : : "memory")

#define __IO_ORDERED(suffix, type)                                                   \
	static __always_inline type read##suffix(const volatile void __iomem *address) \
	{                                                                            \
		const type value = read##suffix##_relaxed(address);                  \
		__io_after_read();                                                   \
		return value;                                                        \
	}                                                                            \
	static __always_inline void write##suffix(type value, volatile void __iomem *address) \
	{                                                                            \
		__io_before_write();                                                 \
		write##suffix##_relaxed(value, address);                             \
	}
__IO_ORDERED(b, u8)
__IO_ORDERED(w, u16)
__IO_ORDERED(l, u32)
__IO_ORDERED(q, u64)
#undef __IO_ORDERED
