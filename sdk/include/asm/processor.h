/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

static inline void cpu_relax(void)
{
	__asm__ volatile("yield" : : : "memory");
}
