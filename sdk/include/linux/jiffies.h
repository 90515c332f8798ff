/* SPDX-License-Identifier: GPL-2.0-only */
/* The tick count of the EL1 kernel, 250 a second (CONFIG_HZ of Android kernels). */
#pragma once

#include <linux/types.h>

#define HZ 250

extern unsigned long volatile jiffies;

static inline unsigned long msecs_to_jiffies(unsigned int milliseconds)
{
	return ((unsigned long)milliseconds * HZ + 999) / 1000;
}

static inline unsigned int jiffies_to_msecs(unsigned long ticks)
{
	return (unsigned int)(ticks * (1000 / HZ));
}

#define time_after(a, b) ((long)((b) - (a)) < 0)
#define time_before(a, b) time_after(b, a)
#define time_after_eq(a, b) ((long)((a) - (b)) >= 0)
#define time_before_eq(a, b) time_after_eq(b, a)
