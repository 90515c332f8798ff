/* SPDX-License-Identifier: GPL-2.0-only */
/* Barriers; the names are the instructions'. */
#pragma once

#define isb() __asm__ volatile("isb" : : : "memory")
#define dmb(domain) __asm__ volatile("dmb " #domain : : : "memory")
#define dsb(domain) __asm__ volatile("dsb " #domain : : : "memory")
#define sev() __asm__ volatile("sev" : : : "memory")
#define wfe() __asm__ volatile("wfe" : : : "memory")

#define mb() dsb(sy)
#define rmb() dsb(ld)
#define wmb() dsb(st)
#define smp_mb() dmb(ish)
#define smp_rmb() dmb(ishld)
#define smp_wmb() dmb(ishst)
