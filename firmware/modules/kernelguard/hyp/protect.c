// SPDX-License-Identifier: GPL-2.0-only
// The host's permissions, as each generation sets them.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "guard.h"

#define READ_AND_EXECUTE (KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_X)

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
/* android14 takes them page by page: back when one is refused. */
static int set(u64 pfn, u64 pages, enum kvm_pgtable_prot prot)
{
	u64 i;
	int ret;

	for (i = 0; i < pages; i++) {
		ret = pkvm_ops->host_stage2_mod_prot(pfn + i, prot);
		if (ret) {
			while (i--)
				pkvm_ops->host_stage2_mod_prot(pfn + i, PKVM_HOST_MEM_PROT);
			return ret;
		}
	}
	return 0;
}
#else
/* Devices lose what the host loses. */
static int set(u64 pfn, u64 pages, enum kvm_pgtable_prot prot)
{
	return pkvm_ops->host_stage2_mod_prot(pfn, prot, pages, true);
}
#endif

static int set_kernel(enum kvm_pgtable_prot prot)
{
	const struct guard_range *kernel = &kernelguard_plan.kernel;

	return set(kernel->base >> PAGE_SHIFT, kernel->size >> PAGE_SHIFT, prot);
}

int kernel_protect(void)
{
	return set_kernel(READ_AND_EXECUTE);
}

/* Nobody is left to be told when this fails: the pages stay as they are. */
void kernel_release(void)
{
	if (set_kernel(PKVM_HOST_MEM_PROT))
		pkvm_ops->puts("kernelguard: not released");
}
