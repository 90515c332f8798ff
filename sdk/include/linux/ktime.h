/* SPDX-License-Identifier: GPL-2.0-only */
/* Time since boot in nanoseconds. It advances with execution and with every sleep. */
#pragma once

#include <linux/types.h>

typedef s64 ktime_t;

#define MSEC_PER_SEC 1000L
#define USEC_PER_MSEC 1000L
#define USEC_PER_SEC 1000000L
#define NSEC_PER_USEC 1000L
#define NSEC_PER_MSEC 1000000L
#define NSEC_PER_SEC 1000000000L

ktime_t ktime_get(void);
ktime_t ktime_get_raw(void);
u64 ktime_get_mono_fast_ns(void);

static inline u64 ktime_get_ns(void)
{
	return (u64)ktime_get();
}

static inline s64 ktime_to_ns(ktime_t time)
{
	return time;
}

static inline s64 ktime_to_us(ktime_t time)
{
	return time / NSEC_PER_USEC;
}

static inline s64 ktime_to_ms(ktime_t time)
{
	return time / NSEC_PER_MSEC;
}

#define ktime_add(a, b) ((ktime_t)((a) + (b)))
#define ktime_sub(a, b) ((ktime_t)((a) - (b)))
#define ktime_add_ns(time, ns) ((ktime_t)((time) + (s64)(ns)))

#define ktime_before(a, b) ((a) < (b))
#define ktime_after(a, b) ((a) > (b))
#define ktime_us_delta(later, earlier) ktime_to_us(ktime_sub(later, earlier))
#define ktime_ms_delta(later, earlier) ktime_to_ms(ktime_sub(later, earlier))
#define ms_to_ktime(ms) ((ktime_t)(ms) * NSEC_PER_MSEC)
#define ns_to_ktime(ns) ((ktime_t)(ns))
