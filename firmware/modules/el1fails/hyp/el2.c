// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: nothing is wrong with it.
#include <asm/kvm_pkvm_module.h>

int el1fails_hyp_init(const struct pkvm_module_ops *ops)
{
	ops->puts("el1fails: EL2 is ready");
	return 0;
}
