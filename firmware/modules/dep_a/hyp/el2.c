// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: the console that others need, and a handler that says whether it is there.
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

static unsigned long pl011_va;
static u64 characters;

static void pl011_putc(char c)
{
	while (readl_relaxed((void *)(pl011_va + PL011_FR)) & PL011_FR_TXFF)
		cpu_relax();
	writel_relaxed(c, (void *)(pl011_va + PL011_DR));
	characters++;
}

/* x1 = how many characters EL2 has printed. */
void dep_a_hvc(handler_regs *regs)
{
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = characters;
}

int dep_a_hyp_init(const struct pkvm_module_ops *ops)
{
	int ret;

	ret = ops->create_private_mapping(PL011_BASE, PAGE_SIZE, PAGE_HYP_DEVICE, &pl011_va);
	return ret ? ret : ops->register_serial_driver(pl011_putc);
}
