// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: a vault for one page.
#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>

#include "../../handler.h"

static const struct pkvm_module_ops *pkvm_ops;
static u64 locked_pfn;

static int take(u64 pfn)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return pkvm_ops->host_donate_hyp(pfn, 1);
#else
	return pkvm_ops->host_donate_hyp(pfn, 1, false);
#endif
}

/* x1: a page's number. x1 = 0, -EBUSY when the vault is full, or why the page cannot be had. */
void vault_lock(handler_regs *regs)
{
	DECLARE_REG(u64, pfn, regs, 1);
	int ret = locked_pfn ? -EBUSY : take(pfn);

	if (!ret)
		locked_pfn = pfn;
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = ret;
}

/* x1 = 0, or -ENOENT when there is nothing in it. */
void vault_unlock(handler_regs *regs)
{
	int ret = locked_pfn ? pkvm_ops->hyp_donate_host(locked_pfn, 1) : -ENOENT;

	if (!ret)
		locked_pfn = 0;
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = ret;
}

int vault_hyp_init(const struct pkvm_module_ops *ops)
{
	pkvm_ops = ops;
	return 0;
}
