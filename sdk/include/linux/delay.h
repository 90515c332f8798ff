/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting at EL1. Nothing really waits here: time moves on by the length of the wait. */
#pragma once

#include <linux/types.h>

void __udelay(unsigned long microseconds);
void __ndelay(unsigned long nanoseconds);
void msleep(unsigned int milliseconds);
unsigned long msleep_interruptible(unsigned int milliseconds);
void usleep_range_state(unsigned long shortest, unsigned long longest, unsigned int state);

#define udelay(microseconds) __udelay(microseconds)
#define ndelay(nanoseconds) __ndelay(nanoseconds)
#define mdelay(milliseconds) __udelay((milliseconds) * 1000UL)
#define ssleep(seconds) msleep((seconds) * 1000U)
/* 2: TASK_UNINTERRUPTIBLE */
#define usleep_range(shortest, longest) usleep_range_state(shortest, longest, 2)
