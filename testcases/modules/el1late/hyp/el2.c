// SPDX-License-Identifier: GPL-2.0-only
// Runs, and stays: EL2 never gives a loaded module up.
#include <asm/kvm_pkvm_module.h>

int el1late_hyp_init(const struct pkvm_module_ops *ops)
{
	ops->puts("el1late: hello from EL2");
	return 0;
}
