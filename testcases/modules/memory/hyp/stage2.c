// SPDX-License-Identifier: GPL-2.0-only
// Permissions, lazy PTEs and lists of pages: the host's side of its memory (operations.h).
#include "../operations.h"

#include <linux/errno.h>
#include <linux/kernel.h>

#include "memory.h"

#define HAS_LAZY_PTE (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0))
#define HAS_LIST (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0))

u64 memory_mod_prot(handler_regs *regs)
{
	const enum kvm_pgtable_prot prot = (enum kvm_pgtable_prot)cpu_reg(regs, 3);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return pkvm_ops->host_stage2_mod_prot(cpu_reg(regs, 2), prot);
#else
	return pkvm_ops->host_stage2_mod_prot(cpu_reg(regs, 2), prot, cpu_reg(regs, 4),
					      cpu_reg(regs, 5) != 0);
#endif
}

u64 memory_mod_prot_range(handler_regs *regs)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return pkvm_ops->host_stage2_mod_prot_range(cpu_reg(regs, 2),
						    (enum kvm_pgtable_prot)cpu_reg(regs, 3),
						    cpu_reg(regs, 4));
#else
	return memory_mod_prot(regs);
#endif
}

u64 memory_leaf(handler_regs *regs)
{
	kvm_pte_t pte = 0;
#if HAS_LIST
	s8 level = -1;
#else
	u32 level = -1;
#endif
	const int ret = pkvm_ops->host_stage2_get_leaf(cpu_reg(regs, 2), &pte, &level);

	cpu_reg(regs, 2) = pte;
	cpu_reg(regs, 3) = level;
	return ret;
}

u64 memory_lazy_on(handler_regs *regs)
{
#if HAS_LAZY_PTE
	return pkvm_ops->host_stage2_enable_lazy_pte(cpu_reg(regs, 2), cpu_reg(regs, 3));
#else
	return -ENOSYS;
#endif
}

u64 memory_lazy_off(handler_regs *regs)
{
#if HAS_LAZY_PTE
	return pkvm_ops->host_stage2_disable_lazy_pte(cpu_reg(regs, 2), cpu_reg(regs, 3));
#else
	return -ENOSYS;
#endif
}

u64 memory_donate_prot(handler_regs *regs)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return -ENOSYS;
#else
	return pkvm_ops->host_donate_hyp_prot(cpu_reg(regs, 2), cpu_reg(regs, 3),
					      cpu_reg(regs, 4) != 0,
					      (enum kvm_pgtable_prot)cpu_reg(regs, 5));
#endif
}

/* One entry a register: the frame number in the low 40 bits, the order above. */
u64 memory_donate_list(handler_regs *regs)
{
#if HAS_LIST
	struct pkvm_sglist_page list[5];
	const u64 count = cpu_reg(regs, 2);
	u64 i;

	if (count > ARRAY_SIZE(list))
		return -EINVAL;
	for (i = 0; i < count; i++) {
		list[i].pfn = cpu_reg(regs, 3 + i);
		list[i].order = (u8)(cpu_reg(regs, 3 + i) >> 40);
	}
	return pkvm_ops->host_donate_sglist_hyp(list, count);
#else
	return -ENOSYS;
#endif
}
