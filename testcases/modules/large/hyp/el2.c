// SPDX-License-Identifier: GPL-2.0-only
// Sections of several pages: what a kernel does for each page of a section shows here.
#include <asm/kvm_pkvm_module.h>

#include "../../handler.h"

#define ROOM (3 * 4096)

static unsigned char zeroed[ROOM];
static unsigned char set[ROOM] = {1};

void large_hvc(handler_regs *regs)
{
	unsigned long at = cpu_reg(regs, 1) % ROOM;

	zeroed[at]++;
	set[at]++;
	cpu_reg(regs, 1) = zeroed[at] + set[at];
}

int large_hyp_init(const struct pkvm_module_ops *ops)
{
	return 0;
}
