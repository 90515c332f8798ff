/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the EL2 half, from the list to the pages. All return 0 or a negative error. */
#pragma once

#include <asm/kvm_pkvm_module.h>

#include "../pagepool.h"

extern const struct pkvm_module_ops *pkvm_ops;

/* The memory that a pool may be made of; set by EL1 before the load. */
extern u64 pagepool_first_pfn;
extern u64 pagepool_end_pfn;

/* list.c: copies a list out of a page that the host shares. */
int list_read(u64 list_pfn, u64 count, u64 *copy);

/* check.c: what the hypervisor does not check for us. */
int blocks_check(const u64 *entries, u64 count);

/* take.c: takes all blocks or none; gives blocks back zeroed. */
int blocks_take(const u64 *entries, u64 count);
int blocks_give_back(const u64 *entries, u64 count);

/* pool.c: the one pool. */
int pool_fill(u64 list_pfn, u64 count);
int pool_drain(u64 *pages);
