// SPDX-License-Identifier: GPL-2.0-only
// The mistake: when the second page is refused, the first one stays shared.
#include <linux/kernel.h>

#include "share.h"

static u64 last_pfn(u64 address, u64 count)
{
	return (address + count * sizeof(u64) - 1) >> PAGE_SHIFT;
}

int list_lend(u64 address, u64 count, struct argument_list *list)
{
	u8 *page = pkvm_ops->hyp_va(address & PAGE_MASK);
	u64 pfn;
	int ret;

	list->pfn = address >> PAGE_SHIFT;
	list->pages = last_pfn(address, count) - list->pfn + 1;
	list->words = pkvm_ops->hyp_va(address);
	list->count = count;
	for (pfn = list->pfn; pfn <= last_pfn(address, count); pfn++) {
		ret = pkvm_ops->host_share_hyp(pfn);
		if (ret)
			return ret;
	}
	return pkvm_ops->pin_shared_mem(page, page + (list->pages << PAGE_SHIFT));
}

int list_return(const struct argument_list *list)
{
	u8 *page = pkvm_ops->hyp_va(list->pfn << PAGE_SHIFT);
	u64 i;

	pkvm_ops->unpin_shared_mem(page, page + (list->pages << PAGE_SHIFT));
	for (i = 0; i < list->pages; i++)
		pkvm_ops->host_unshare_hyp(list->pfn + i);
	return 0;
}
