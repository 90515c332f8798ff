// SPDX-License-Identifier: GPL-2.0-only
// Lends the pages of an argument list to the hypervisor and pins them. While the secure world reads
// them the host can neither donate them to anybody nor take them back.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "share.h"

static void *end_of(const struct argument_list *list)
{
	return (u8 *)pkvm_ops->hyp_va(list->pfn << PAGE_SHIFT) + (list->pages << PAGE_SHIFT);
}

/* All are tried, whatever one of them answers. */
static int unshare(u64 pfn, u64 pages)
{
	int first_error = 0;
	u64 i;

	for (i = 0; i < pages; i++) {
		const int ret = pkvm_ops->host_unshare_hyp(pfn + i);

		if (ret && !first_error)
			first_error = ret;
	}
	return first_error;
}

/* All or none. A page that is shared already is somebody else's, and refused by the hypervisor. */
static int share(u64 pfn, u64 pages)
{
	u64 i;
	int ret;

	for (i = 0; i < pages; i++) {
		ret = pkvm_ops->host_share_hyp(pfn + i);
		if (ret) {
			unshare(pfn, i);
			return ret;
		}
	}
	return 0;
}

int list_lend(u64 address, u64 count, struct argument_list *list)
{
	const u64 last = address + count * sizeof(u64) - 1;
	int ret;

	if (address % sizeof(u64) || last < address)
		return -EINVAL;
	list->pfn = address >> PAGE_SHIFT;
	list->pages = (last >> PAGE_SHIFT) - list->pfn + 1;
	list->words = pkvm_ops->hyp_va(address);
	list->count = count;

	ret = share(list->pfn, list->pages);
	if (ret)
		return ret;
	ret = pkvm_ops->pin_shared_mem(pkvm_ops->hyp_va(list->pfn << PAGE_SHIFT), end_of(list));
	if (ret)
		unshare(list->pfn, list->pages);
	return ret;
}

int list_return(const struct argument_list *list)
{
	pkvm_ops->unpin_shared_mem(pkvm_ops->hyp_va(list->pfn << PAGE_SHIFT), end_of(list));
	return unshare(list->pfn, list->pages);
}
