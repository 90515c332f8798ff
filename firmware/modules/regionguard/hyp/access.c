// SPDX-License-Identifier: GPL-2.0-only
// The host's permissions, as each generation sets them.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "guard.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
/* For kernels without the range form: page by page, and back when one of them is refused. */
static int set_each(u64 pfn, u64 pages, enum kvm_pgtable_prot prot)
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

static int set(const struct guard_region *region, enum kvm_pgtable_prot prot)
{
	const u64 pfn = region->base >> PAGE_SHIFT;
	const u64 pages = region->size >> PAGE_SHIFT;

	/* It came with an update of android14; before, its slot is NULL. */
	if (pkvm_ops->host_stage2_mod_prot_range)
		return pkvm_ops->host_stage2_mod_prot_range(pfn, prot, pages);
	return set_each(pfn, pages, prot);
}
#else
static int set(const struct guard_region *region, enum kvm_pgtable_prot prot)
{
	/* Devices lose what the host loses. */
	return pkvm_ops->host_stage2_mod_prot(region->base >> PAGE_SHIFT, prot,
					      region->size >> PAGE_SHIFT, true);
}
#endif

int access_restrict(const struct guard_region *region)
{
	return set(region, region->access == GUARD_READ_ONLY ? KVM_PGTABLE_PROT_R : 0);
}

int access_restore(const struct guard_region *region)
{
	return set(region, PKVM_HOST_MEM_PROT);
}
