/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the EL2 half. */
#pragma once

#include <asm/kvm_pkvm_module.h>

#include "../stuckuart.h"

/* uart.c: the UART's registers, as EL2 sees them; one character. */
extern unsigned long uart_va;
void uart_putc(char c);
