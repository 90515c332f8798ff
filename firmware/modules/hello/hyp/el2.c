// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: a PL011 driver for the hypervisor's console, a greeting, and a handler that adds.
#include <asm/io.h>
#include <asm/kvm_pkvm_module.h>
#include <asm/processor.h>
#include <linux/errno.h>
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

static void pl011_putc(char c)
{
	while (readl_relaxed((void *)(pl011_va + PL011_FR)) & PL011_FR_TXFF)
		cpu_relax();
	writel_relaxed(c, (void *)(pl011_va + PL011_DR));
}

/* x1 = x1 + x2 */
void hello_hvc(handler_regs *regs)
{
	DECLARE_REG(u64, first, regs, 1);
	DECLARE_REG(u64, second, regs, 2);

	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = first + second;
}

int hello_hyp_init(const struct pkvm_module_ops *ops)
{
	int ret;

	ret = ops->create_private_mapping(PL011_BASE, PAGE_SIZE, PAGE_HYP_DEVICE, &pl011_va);
	if (ret)
		return ret;

	/* Another module may drive the console already: then the greeting goes through it. */
	ret = ops->register_serial_driver(pl011_putc);
	if (ret && ret != -EBUSY)
		return ret;

	ops->puts("hello: hello from EL2");
	return 0;
}
