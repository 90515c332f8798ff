/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the EL2 half, from the registers up. */
#pragma once

#include <nvhe/iommu.h>

#include "../iommusketch.h"

extern const struct pkvm_module_ops *pkvm_ops;

/* Set by EL1 before the load. */
extern u64 iommusketch_registers; /* 0: there is no device, tables are kept all the same */
extern u64 iommusketch_memory;
extern u64 iommusketch_memory_size;

struct sketch_counts {
	u64 commands;
	u64 suspends;
	u64 resumes;
	u64 aborts;
};
extern struct sketch_counts sketch_counts;

/* registers.c. `base` 0 is no device: nothing is done. */
void registers_set_tables(void *base, u64 rights, u64 root);
void registers_switch(void *base, bool on);
int registers_forget(void *base);
bool registers_answer(u64 *regs, u64 esr, u64 offset);

/* rights.c: what devices may reach besides a domain's mappings. */
void rights_init(u64 *table, bool blocked);
void rights_change(phys_addr_t start, phys_addr_t end, bool blocked);
bool rights_blocked(phys_addr_t pa);
u64 rights_address(void);

/* tables.c (android15 and later): 1 GiB of addresses, two levels. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
u64 *tables_alloc(void);
void tables_free(u64 *root);
int tables_map(u64 *root, unsigned long iova, phys_addr_t pa);
phys_addr_t tables_find(u64 *root, unsigned long iova);
void tables_clear(u64 *root, unsigned long iova);
#endif
