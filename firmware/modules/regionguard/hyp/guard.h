/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the EL2 half. All return 0 or a negative error. */
#pragma once

#include <asm/kvm_pkvm_module.h>

#include "../regionguard.h"

extern const struct pkvm_module_ops *pkvm_ops;

/* Set by EL1 before the load: RAM, the regions that are guarded from the start, the decision. */
extern struct guard_region regionguard_memory;
extern struct guard_region regionguard_boot[GUARD_REGIONS];
extern u64 regionguard_boot_count;
extern u64 regionguard_skip;

/* Of the table of regions (lock.h). */
extern u32 guard_busy;

/* access.c: what the host may do with the pages of a region, and that it may do everything. */
int access_restrict(const struct guard_region *region);
int access_restore(const struct guard_region *region);

/* regions.c: the table of guarded regions. */
int regions_add(const struct guard_region *region);
int regions_remove(u64 base);
int regions_add_all(const struct guard_region *first, u64 count);
void regions_remove_all(void);
bool regions_contain(u64 address);

/* fault.c: the handler of permission faults, and what it saw. */
struct guard_faults {
	u64 count;
	u64 address;
	u64 esr;
};
extern struct guard_faults guard_faults;
int guard_fault(handler_regs *regs, u64 esr, u64 address);
