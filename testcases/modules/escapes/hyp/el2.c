// SPDX-License-Identifier: GPL-2.0-only
// What cannot be followed: the pointer stored through a pointer, and a slot chosen at run time.
#include <asm/kvm_pkvm_module.h>

u64 **opaque;
u64 number;

int escapes_hyp_init(const struct pkvm_module_ops *ops)
{
	opaque[number][3] = (u64)ops;
	return ((int (*const *)(void))ops)[number]();
}
