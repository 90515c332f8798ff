// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half's own entry points; what pKVM calls as its IOMMU driver is in devices.c (android14)
// and domains.c.
#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>

#include "sketch.h"

const struct pkvm_module_ops *pkvm_ops;
u64 iommusketch_registers;
u64 iommusketch_memory;
u64 iommusketch_memory_size;

void iommusketch_hvc(handler_regs *regs)
{
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	switch (cpu_reg(regs, 1)) {
	case SKETCH_ASK_BLOCKED:
		cpu_reg(regs, 1) = rights_blocked(cpu_reg(regs, 2));
		break;
	case SKETCH_ASK_COUNTS:
		cpu_reg(regs, 1) = sketch_counts.commands;
		cpu_reg(regs, 2) = sketch_counts.suspends;
		cpu_reg(regs, 3) = sketch_counts.resumes;
		cpu_reg(regs, 4) = sketch_counts.aborts;
		break;
	default:
		cpu_reg(regs, 1) = -EINVAL;
	}
}

int iommusketch_hyp_init(const struct pkvm_module_ops *ops)
{
	pkvm_ops = ops;
	return 0;
}
