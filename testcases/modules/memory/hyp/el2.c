// SPDX-License-Identifier: GPL-2.0-only
// The memory and console operations of pkvm_module_ops, one hypercall operation each, so that tests
// can drive them from EL1 (operations.h).
#include "../operations.h"

#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "../../handler.h"

#include "memory.h"

const struct pkvm_module_ops *pkvm_ops;

static void *linear(u64 pfn)
{
	return pkvm_ops->hyp_va(pfn << PAGE_SHIFT);
}

static u64 memory_share(handler_regs *regs)
{
	return pkvm_ops->host_share_hyp(cpu_reg(regs, 2));
}

static u64 memory_unshare(handler_regs *regs)
{
	return pkvm_ops->host_unshare_hyp(cpu_reg(regs, 2));
}

static u64 memory_donate(handler_regs *regs)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return pkvm_ops->host_donate_hyp(cpu_reg(regs, 2), cpu_reg(regs, 3));
#else
	return pkvm_ops->host_donate_hyp(cpu_reg(regs, 2), cpu_reg(regs, 3), cpu_reg(regs, 4) != 0);
#endif
}

static u64 memory_return(handler_regs *regs)
{
	return pkvm_ops->hyp_donate_host(cpu_reg(regs, 2), cpu_reg(regs, 3));
}

static u64 memory_map(handler_regs *regs)
{
	unsigned long address = 0;
	int ret;

	ret = pkvm_ops->create_private_mapping(cpu_reg(regs, 2) << PAGE_SHIFT, PAGE_SIZE,
					       (enum kvm_pgtable_prot)cpu_reg(regs, 3), &address);
	cpu_reg(regs, 2) = address;
	return ret;
}

static u64 memory_linear(handler_regs *regs)
{
	void *address = linear(cpu_reg(regs, 2));

	cpu_reg(regs, 2) = pkvm_ops->hyp_pa(address);
	return (u64)address;
}

static u64 memory_kern_va(handler_regs *regs)
{
	return pkvm_ops->kern_hyp_va(cpu_reg(regs, 2));
}

static u64 memory_fill(handler_regs *regs)
{
	return (u64)pkvm_ops->memset(linear(cpu_reg(regs, 2)), (int)cpu_reg(regs, 3), PAGE_SIZE);
}

static u64 memory_copy(handler_regs *regs)
{
	return (u64)pkvm_ops->memcpy(linear(cpu_reg(regs, 2)), linear(cpu_reg(regs, 3)), PAGE_SIZE);
}

static u64 *word(handler_regs *regs)
{
	return (u64 *)((u8 *)linear(cpu_reg(regs, 2)) + cpu_reg(regs, 3));
}

static u64 memory_read(handler_regs *regs)
{
	return READ_ONCE(*word(regs));
}

static u64 memory_write(handler_regs *regs)
{
	WRITE_ONCE(*word(regs), cpu_reg(regs, 4));
	return 0;
}

/* android14 has no op for one character. */
static u64 memory_putc(handler_regs *regs)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return -ENOSYS;
#else
	pkvm_ops->putc((char)cpu_reg(regs, 2));
	return 0;
#endif
}

static u64 memory_puts(handler_regs *regs)
{
	pkvm_ops->puts("memory: text");
	return 0;
}

static u64 memory_putx64(handler_regs *regs)
{
	pkvm_ops->putx64(cpu_reg(regs, 2));
	return 0;
}

static u64 memory_pin(handler_regs *regs)
{
	u8 *from = linear(cpu_reg(regs, 2));

	return pkvm_ops->pin_shared_mem(from, from + PAGE_SIZE);
}

static u64 memory_unpin(handler_regs *regs)
{
	u8 *from = linear(cpu_reg(regs, 2));

	pkvm_ops->unpin_shared_mem(from, from + PAGE_SIZE);
	return 0;
}

/* x2 pages of private addresses: where they start, 0 for none. */
static u64 memory_take_va(handler_regs *regs)
{
	return (u64)pkvm_ops->alloc_module_va(cpu_reg(regs, 2));
}

static u64 (*const operations[])(handler_regs *regs) = {
	[MEMORY_SHARE] = memory_share,
	[MEMORY_UNSHARE] = memory_unshare,
	[MEMORY_DONATE] = memory_donate,
	[MEMORY_RETURN] = memory_return,
	[MEMORY_MAP] = memory_map,
	[MEMORY_LINEAR] = memory_linear,
	[MEMORY_KERN_VA] = memory_kern_va,
	[MEMORY_FILL] = memory_fill,
	[MEMORY_COPY] = memory_copy,
	[MEMORY_READ] = memory_read,
	[MEMORY_WRITE] = memory_write,
	[MEMORY_PUTC] = memory_putc,
	[MEMORY_PUTS] = memory_puts,
	[MEMORY_PUTX64] = memory_putx64,
	[MEMORY_PIN] = memory_pin,
	[MEMORY_UNPIN] = memory_unpin,
	[MEMORY_TAKE_VA] = memory_take_va,
	[MEMORY_MOD_PROT] = memory_mod_prot,
	[MEMORY_MOD_PROT_RANGE] = memory_mod_prot_range,
	[MEMORY_LEAF] = memory_leaf,
	[MEMORY_LAZY_ON] = memory_lazy_on,
	[MEMORY_LAZY_OFF] = memory_lazy_off,
	[MEMORY_DONATE_PROT] = memory_donate_prot,
	[MEMORY_DONATE_LIST] = memory_donate_list,
	[MEMORY_EARLY_ON] = memory_early_on,
	[MEMORY_EARLY_OFF] = memory_early_off,
	[MEMORY_FIXMAP] = memory_fixmap,
	[MEMORY_FIXMAP_OFF] = memory_fixmap_off,
	[MEMORY_FIXBLOCK] = memory_fixblock,
	[MEMORY_FIXBLOCK_OFF] = memory_fixblock_off,
	[MEMORY_PEEK] = memory_peek,
	[MEMORY_POKE] = memory_poke,
	[MEMORY_PRIVATE] = memory_private,
	[MEMORY_MAP_PAGE] = memory_map_page,
	[MEMORY_PIN_RANGE] = memory_pin_range,
	[MEMORY_UNPIN_RANGE] = memory_unpin_range,
	[MEMORY_HANDLER] = memory_handler,
	[MEMORY_ANSWER] = memory_answer,
	[MEMORY_HANDLED] = memory_handled,
	[MEMORY_NOTIFIER] = memory_notifier,
	[MEMORY_NOTIFIED] = memory_notified,
	[MEMORY_STAGE2] = memory_stage2,
	[MEMORY_STAGE1] = memory_stage1,
};

void memory_hvc(handler_regs *regs)
{
	DECLARE_REG(u64, number, regs, 1);

	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = number < ARRAY_SIZE(operations) ? operations[number](regs) : -EINVAL;
}

int memory_hyp_init(const struct pkvm_module_ops *ops)
{
	pkvm_ops = ops;
	return 0;
}
