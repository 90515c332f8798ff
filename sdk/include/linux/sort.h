/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <linux/types.h>

void sort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *),
	  void (*swap)(void *, void *, int));
