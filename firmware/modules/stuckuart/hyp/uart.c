// SPDX-License-Identifier: GPL-2.0-only
// One character. Nobody takes the CPU from EL2: as long as the UART says that it is full, this is
// where the CPU stays.
#include <asm/io.h>
#include <asm/processor.h>
#include <linux/kernel.h>

#include "uart.h"

#define PL011_DR 0x00
#define PL011_FR 0x18
#define PL011_FR_TXFF BIT(5)

unsigned long uart_va;

static bool is_full(void)
{
	return readl_relaxed((void *)(uart_va + PL011_FR)) & PL011_FR_TXFF;
}

void uart_putc(char c)
{
	while (is_full())
		cpu_relax();
	writel_relaxed((u32)c, (void *)(uart_va + PL011_DR));
}
