// SPDX-License-Identifier: GPL-2.0-only
// Never runs: the EL1 half does not load it.
#include <asm/kvm_pkvm_module.h>

int el1fail_hyp_init(const struct pkvm_module_ops *ops)
{
	ops->puts("el1fail: must not be seen");
	return 0;
}
