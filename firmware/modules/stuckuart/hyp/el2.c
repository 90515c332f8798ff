// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: maps the UART and registers the driver; a handler that prints through it.
#include <linux/kernel.h>

#include "uart.h"

static const struct pkvm_module_ops *pkvm_ops;

/* EL1 writes it before the load. */
u64 stuckuart_base;

/* Prints x1 at EL2. */
void stuckuart_hvc(handler_regs *regs)
{
	pkvm_ops->putx64(cpu_reg(regs, 1));
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
}

int stuckuart_hyp_init(const struct pkvm_module_ops *ops)
{
	int ret;

	pkvm_ops = ops;
	ret = ops->create_private_mapping(stuckuart_base, PAGE_SIZE, PAGE_HYP_DEVICE, &uart_va);
	if (ret)
		return ret;
	/* There is one driver for the system: a second one gets -EBUSY. */
	return ops->register_serial_driver(uart_putc);
}
