// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: the ways of a page of the host's memory. Shared, both sides use it; pinned, the
// host cannot take it back; donated, it is the hypervisor's alone until it is returned.
#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>
#include <linux/kernel.h>

static const struct pkvm_module_ops *pkvm_ops;

/* accept_mmio came with 6.6. */
static int donate(u64 pfn)
{
	if (KMI_OPS_SLOTS == 64)
		return ((int (*)(u64, u64))pkvm_ops->host_donate_hyp)(pfn, 1);
	return pkvm_ops->host_donate_hyp(pfn, 1, false);
}

static u64 pages_donate(u64 pfn)
{
	void *page = pkvm_ops->hyp_va(pfn << PAGE_SHIFT);
	int ret = donate(pfn);

	if (ret)
		return ret;
	pkvm_ops->memset(page, 0xa5, PAGE_SIZE);
	return *(u64 *)page;
}

static u64 pages_return(u64 pfn)
{
	/* The host must not read what EL2 kept in it. */
	pkvm_ops->memset(pkvm_ops->hyp_va(pfn << PAGE_SHIFT), 0, PAGE_SIZE);
	return pkvm_ops->hyp_donate_host(pfn, 1);
}
