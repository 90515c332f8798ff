// SPDX-License-Identifier: GPL-2.0-only
// The host's permissions, as each generation sets them, and the content of pages that are nobody's at
// EL2.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "manager.h"

static const enum kvm_pgtable_prot rights[OWNERS] = {
	[OWNER_HOST] = PKVM_HOST_MEM_PROT,
	[OWNER_SHARED] = KVM_PGTABLE_PROT_R,
	[OWNER_SECURE] = 0,
};

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
/* android14 takes them page by page: back to what was when one is refused. */
int access_set(const struct manager_row *row, u64 owner)
{
	const u64 pfn = row->base >> PAGE_SHIFT;
	const u64 before = row->owner;
	u64 i;
	int ret;

	for (i = 0; i < row->size >> PAGE_SHIFT; i++) {
		ret = pkvm_ops->host_stage2_mod_prot(pfn + i, rights[owner]);
		if (ret) {
			while (i--)
				pkvm_ops->host_stage2_mod_prot(pfn + i, rights[before]);
			return ret;
		}
	}
	return 0;
}
#else
/* Devices lose what the host loses. */
int access_set(const struct manager_row *row, u64 owner)
{
	return pkvm_ops->host_stage2_mod_prot(row->base >> PAGE_SHIFT, rights[owner],
					      row->size >> PAGE_SHIFT, true);
}
#endif

/* Page by page through a window, as EL2 has no mapping of them; past the caches, too. */
void content_clear(const struct manager_row *row)
{
	u64 offset;

	for (offset = 0; offset < row->size; offset += PAGE_SIZE) {
		void *page = pkvm_ops->fixmap_map(row->base + offset);

		pkvm_ops->memset(page, 0, PAGE_SIZE);
		pkvm_ops->flush_dcache_to_poc(page, PAGE_SIZE);
		pkvm_ops->fixmap_unmap();
	}
}
