// SPDX-License-Identifier: GPL-2.0-only
#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>

int picky_hyp_init(const struct pkvm_module_ops *ops)
{
	ops->puts("picky: not on this machine");
	return -ENODEV;
}
