// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: a serial driver. From its registration on, everything that EL2 prints comes through
// serial_putc, one character at a time; this one marks EL2's lines.
#include <asm/io.h>
#include <asm/kvm_pkvm_module.h>
#include <asm/processor.h>
#include <linux/version.h>

/* android14 hands a handler its CPU context, later kernels the registers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif

#define PL011_BASE 0x09000000UL
#define PL011_DR 0x00
#define PL011_FR 0x18
#define PL011_FR_TXFF BIT(5)

static const struct pkvm_module_ops *pkvm_ops;
static unsigned long pl011_va;
static bool within_line;

static void pl011_putc(char c)
{
	while (readl_relaxed((void *)(pl011_va + PL011_FR)) & PL011_FR_TXFF)
		cpu_relax();
	writel_relaxed(c, (void *)(pl011_va + PL011_DR));
}

static void serial_putc(char c)
{
	const char *prefix = "EL2| ";

	if (!within_line && c != '\n' && c != '\r')
		while (*prefix)
			pl011_putc(*prefix++);
	within_line = c != '\n' && c != '\r';
	pl011_putc(c);
}

/* Prints x1 at EL2. */
void serial_hvc(handler_regs *regs)
{
	pkvm_ops->putx64(cpu_reg(regs, 1));
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
}

int serial_hyp_init(const struct pkvm_module_ops *ops)
{
	int ret;

	pkvm_ops = ops;
	ret = ops->create_private_mapping(PL011_BASE, PAGE_SIZE, PAGE_HYP_DEVICE, &pl011_va);
	if (ret)
		return ret;
	/* There is one driver for the system: a second one gets -EBUSY. */
	ret = ops->register_serial_driver(serial_putc);
	if (ret)
		return ret;
	ops->puts("serial: ready");
	return 0;
}
