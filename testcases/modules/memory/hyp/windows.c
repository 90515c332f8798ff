// SPDX-License-Identifier: GPL-2.0-only
// Mappings at EL2: early linear ones, windows, private ones, pins (operations.h).
#include "../operations.h"

#include <asm/sysreg.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "memory.h"

u64 memory_early_on(handler_regs *regs)
{
	return (u64)pkvm_ops->linear_map_early(cpu_reg(regs, 2), cpu_reg(regs, 3),
					       (enum kvm_pgtable_prot)cpu_reg(regs, 4));
}

u64 memory_early_off(handler_regs *regs)
{
	pkvm_ops->linear_unmap_early((void *)cpu_reg(regs, 2), cpu_reg(regs, 3));
	return 0;
}

u64 memory_fixmap(handler_regs *regs)
{
	return (u64)pkvm_ops->fixmap_map(cpu_reg(regs, 2));
}

u64 memory_fixmap_off(handler_regs *regs)
{
	pkvm_ops->fixmap_unmap();
	return 0;
}

u64 memory_fixblock(handler_regs *regs)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	return -ENOSYS;
#else
	return (u64)pkvm_ops->fixblock_map(cpu_reg(regs, 2));
#endif
}

u64 memory_fixblock_off(handler_regs *regs)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	return -ENOSYS;
#else
	pkvm_ops->fixblock_unmap();
	return 0;
#endif
}

u64 memory_peek(handler_regs *regs)
{
	return READ_ONCE(*(u64 *)cpu_reg(regs, 2));
}

u64 memory_poke(handler_regs *regs)
{
	WRITE_ONCE(*(u64 *)cpu_reg(regs, 2), cpu_reg(regs, 3));
	return 0;
}

u64 memory_private(handler_regs *regs)
{
	unsigned long address = cpu_reg(regs, 5);
	int ret;

	ret = pkvm_ops->create_private_mapping(cpu_reg(regs, 2), cpu_reg(regs, 3),
					       (enum kvm_pgtable_prot)cpu_reg(regs, 4), &address);
	cpu_reg(regs, 2) = address;
	return ret;
}

u64 memory_map_page(handler_regs *regs)
{
	return pkvm_ops->map_module_page(cpu_reg(regs, 2), (void *)cpu_reg(regs, 3),
					 (enum kvm_pgtable_prot)cpu_reg(regs, 4),
					 cpu_reg(regs, 5) != 0);
}

u64 memory_pin_range(handler_regs *regs)
{
	return pkvm_ops->pin_shared_mem(pkvm_ops->hyp_va(cpu_reg(regs, 2)),
					pkvm_ops->hyp_va(cpu_reg(regs, 3)));
}

u64 memory_unpin_range(handler_regs *regs)
{
	pkvm_ops->unpin_shared_mem(pkvm_ops->hyp_va(cpu_reg(regs, 2)),
				   pkvm_ops->hyp_va(cpu_reg(regs, 3)));
	return 0;
}

/* Where both walks start, for who reads the tables from outside. */
u64 memory_stage2(handler_regs *regs)
{
	cpu_reg(regs, 2) = read_sysreg(vtcr_el2);
	cpu_reg(regs, 3) = read_sysreg(hcr_el2);
	return read_sysreg(vttbr_el2);
}

u64 memory_stage1(handler_regs *regs)
{
	cpu_reg(regs, 2) = read_sysreg(tcr_el2);
	cpu_reg(regs, 3) = read_sysreg(sctlr_el2);
	cpu_reg(regs, 4) = read_sysreg(mair_el2);
	return read_sysreg(ttbr0_el2);
}
