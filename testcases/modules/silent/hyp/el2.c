// SPDX-License-Identifier: GPL-2.0-only
// A handler that answers in x1 and leaves x0 as it found it: 0 where the dispatcher presets it, its
// own function id where it does not.
#include <asm/kvm_pkvm_module.h>

#include "../../handler.h"

void silent_hvc(handler_regs *regs)
{
	cpu_reg(regs, 1) = cpu_reg(regs, 0);
}

int silent_hyp_init(const struct pkvm_module_ops *ops)
{
	return 0;
}
