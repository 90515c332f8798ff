/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the EL2 half. What returns int answers 0 or a negative error. */
#pragma once

#include <asm/kvm_pkvm_module.h>

#include "../smcshare.h"

extern const struct pkvm_module_ops *pkvm_ops;

/* allow.c: whether this is a call to the secure world, and one that the host may make. */
bool call_is_secure(u64 id);
bool call_is_allowed(u64 id, u64 count);

/* list.c: the pages of an argument list, the hypervisor's too as long as the call lasts. */
struct argument_list {
	u64 pfn;
	u64 pages;
	const u64 *words;
	u64 count;
};
int list_lend(u64 address, u64 count, struct argument_list *list);
int list_return(const struct argument_list *list);

/* forward.c: the SMC itself, with x0 to x17 from the host and back to it. */
void forward(handler_regs *regs);

/* filter.c: the handler of the host's SMCs, and what it saw. */
struct share_counts {
	u64 lent;
	u64 refused;
	u64 stuck;
	u64 last_word;
};
extern struct share_counts share_counts;
bool share_smc(handler_regs *regs);
