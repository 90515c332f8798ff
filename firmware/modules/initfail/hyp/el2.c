// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: needs memory that the EL1 half did not give, says so and gives up. It has text, bss
// and rodata, but no data.
#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>

#define NEEDED_BYTES 8192

/* In .bss; an EL1 half that brings memory would set it before the load. */
u64 initfail_memory_bytes;

int initfail_hyp_init(const struct pkvm_module_ops *ops)
{
	if (initfail_memory_bytes < NEEDED_BYTES) {
		ops->puts("initfail: not enough memory");
		return -ENOMEM;
	}
	return 0;
}
