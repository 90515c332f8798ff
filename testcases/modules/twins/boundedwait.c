// SPDX-License-Identifier: GPL-2.0-only
// The good twin: a UART that has no room for long enough loses a character, and EL2 goes on. From
// then on it is not waited for.
#include <asm/io.h>
#include <asm/processor.h>
#include <linux/kernel.h>

#include "uart.h"

#define PL011_DR 0x00
#define PL011_FR 0x18
#define PL011_FR_TXFF BIT(5)
#define LONG_ENOUGH 1000

unsigned long uart_va;

static bool has_room(void)
{
	static unsigned int patience = LONG_ENOUGH;
	unsigned int tries = patience;

	while (readl_relaxed((void *)(uart_va + PL011_FR)) & PL011_FR_TXFF) {
		if (!tries--) {
			patience = 0;
			return false;
		}
		cpu_relax();
	}
	patience = LONG_ENOUGH;
	return true;
}

void uart_putc(char c)
{
	if (has_room())
		writel_relaxed((u32)c, (void *)(uart_va + PL011_DR));
}
