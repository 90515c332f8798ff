/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the EL2 half. What returns int answers 0 or a negative error. */
#pragma once

#include <asm/kvm_pkvm_module.h>

#include "../kernelguard.h"

extern const struct pkvm_module_ops *pkvm_ops;

extern struct guard_plan kernelguard_plan;

/* Whether all of [at, at + size) is in the range. */
static inline bool range_has(const struct guard_range *range, u64 at, u64 size)
{
	return at >= range->base && size <= range->size &&
	       at - range->base <= range->size - size;
}

/* protect.c: the host's permissions. */
int kernel_protect(void);
void kernel_release(void);

/* fetch.c: the instruction at which the host stopped. */
int fetch(u32 *instruction);

/* decode.c: what a store does, apart from where it goes. */
struct store {
	unsigned int bytes;	/* 4 or 8 */
	unsigned int source;	/* register, 31: zero */
	unsigned int base;	/* register, 31: the stack pointer */
	s64 step;		/* what is added to base */
	bool release;
};
int decode(u32 instruction, struct store *store);

/* emulate.c: makes the store in the host's place. */
int emulate(handler_regs *regs, const struct store *store, u64 address);

/* fault.c: the two callbacks, and what they saw. */
struct guard_counts {
	u64 emulated;
	u64 refused;
	u64 aborts;
	u64 last_elr;
};
extern struct guard_counts guard_counts;
int guard_fault(handler_regs *regs, u64 esr, u64 address);
void guard_abort(handler_regs *regs);
