// SPDX-License-Identifier: GPL-2.0-only
// iommusketch's registers with one mistake: a device that does not answer is waited for for ever.
#define registers_forget registers_forget_in_time
#include "registers.c"
#undef registers_forget

int registers_forget(void *base);
int registers_forget(void *base)
{
	if (!base)
		return 0;
	sketch_counts.commands++;
	writel(SKETCH_CMD_FORGET, base + SKETCH_CMD);
	while (readl_relaxed(base + SKETCH_STATUS) & SKETCH_STATUS_BUSY)
		;
	return 0;
}
