/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <linux/types.h>

void *vmalloc(unsigned long size);
void *vzalloc(unsigned long size);
void vfree(const void *memory);
