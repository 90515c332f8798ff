// SPDX-License-Identifier: GPL-2.0-only
// The mistake: the pages of a list are not given back. The next call with them is refused.
#include <linux/kernel.h>

#include "share.h"

int list_lend(u64 address, u64 count, struct argument_list *list)
{
	u8 *page = pkvm_ops->hyp_va(address & PAGE_MASK);
	int ret;

	list->pfn = address >> PAGE_SHIFT;
	list->pages = 1;
	list->words = pkvm_ops->hyp_va(address);
	list->count = count;
	ret = pkvm_ops->host_share_hyp(list->pfn);
	return ret ? ret : pkvm_ops->pin_shared_mem(page, page + PAGE_SIZE);
}

int list_return(const struct argument_list *list)
{
	return 0;
}
