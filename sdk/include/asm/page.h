/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <asm/memory.h>
#include <asm/page-def.h>
#include <linux/kernel.h>

#define PAGE_ALIGN(address) ALIGN(address, PAGE_SIZE)
#define PAGE_ALIGNED(address) IS_ALIGNED((unsigned long)(address), PAGE_SIZE)
