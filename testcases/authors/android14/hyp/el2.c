// SPDX-License-Identifier: GPL-2.0-only
// The hypervisor half for android14: the handler gets the CPU context, whose x0 is 0 already.
#include <asm/kvm_pkvm_module.h>

int pkvm_driver_hyp_init(const struct pkvm_module_ops *ops)
{
	ops->puts("driver: here");
	return 0;
}

void pkvm_driver_hyp_hvc(struct kvm_cpu_context *ctx)
{
	cpu_reg(ctx, 1) = cpu_reg(ctx, 1) + cpu_reg(ctx, 2);
}
