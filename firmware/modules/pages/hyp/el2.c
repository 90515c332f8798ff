// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: the ways of a page of the host's memory. Shared, both sides use it; pinned, the
// host cannot take it back; donated, it is the hypervisor's alone until it is returned.
#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/version.h>

/* android14 hands a handler its CPU context, later kernels the registers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif

static const struct pkvm_module_ops *pkvm_ops;

/* Where EL2 sees a page of ordinary memory, once it may. */
static void *page_at(u64 pfn)
{
	return pkvm_ops->hyp_va(pfn << PAGE_SHIFT);
}

static u64 pages_share(u64 pfn)
{
	return pkvm_ops->host_share_hyp(pfn);
}

static u64 pages_unshare(u64 pfn)
{
	return pkvm_ops->host_unshare_hyp(pfn);
}

static u64 pages_pin(u64 pfn)
{
	return pkvm_ops->pin_shared_mem(page_at(pfn), page_at(pfn + 1));
}

static u64 pages_unpin(u64 pfn)
{
	pkvm_ops->unpin_shared_mem(page_at(pfn), page_at(pfn + 1));
	return 0;
}

/* From now on an access of the host ends in an abort. */
static u64 pages_donate(u64 pfn)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return pkvm_ops->host_donate_hyp(pfn, 1);
#else
	return pkvm_ops->host_donate_hyp(pfn, 1, false);
#endif
}

static u64 pages_return(u64 pfn)
{
	/* The host must not read what EL2 kept in it. */
	pkvm_ops->memset(page_at(pfn), 0, PAGE_SIZE);
	return pkvm_ops->hyp_donate_host(pfn, 1);
}

static u64 (*const operations[])(u64 pfn) = {
	pages_share, pages_unshare, pages_pin, pages_unpin, pages_donate, pages_return,
};

/* x1: one of the operations, x2: the page's frame number; x1 = 0 or an error. */
void pages_hvc(handler_regs *regs)
{
	DECLARE_REG(u64, number, regs, 1);
	DECLARE_REG(u64, pfn, regs, 2);

	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = number < ARRAY_SIZE(operations) ? operations[number](pfn) : -EINVAL;
}

int pages_hyp_init(const struct pkvm_module_ops *ops)
{
	pkvm_ops = ops;
	return 0;
}
