/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the EL2 half. What returns int answers 0 or a negative error. */
#pragma once

#include <asm/kvm_pkvm_module.h>

#include "../smcfilter.h"

extern const struct pkvm_module_ops *pkvm_ops;

/* Set by EL1 before the load. */
extern bool smcfilter_permissive;
extern bool smcfilter_counting;

/* allow.c: the list of calls that the host may make. */
int allow_check(void);
bool allow_has(u64 id);

/* filter.c: the handler of the host's SMCs, and what it saw. */
struct filter_counts {
	u64 allowed;
	u64 filtered;
	u64 last;
};
extern struct filter_counts filter_counts;
bool filter_smc(handler_regs *regs);

/* report.c: the trace event, where the generation has them. */
void report_start(void);
void report_filtered(u64 id);
