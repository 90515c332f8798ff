// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: prints through the console that dep_a drives. Loaded before dep_a, its text would be
// lost.
#include <asm/kvm_pkvm_module.h>

int dep_b_hyp_init(const struct pkvm_module_ops *ops)
{
	ops->puts("dep_b: printed by dep_a's driver");
	return 0;
}
