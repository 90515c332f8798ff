// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: init and the handlers, of which x1 answers 0 or a negative error.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "guard.h"
#include "lock.h"

const struct pkvm_module_ops *pkvm_ops;

/* In .data: EL1 writes them before the load. */
struct guard_region regionguard_memory = { .size = 1 };
struct guard_region regionguard_boot[GUARD_REGIONS] = { { .size = 1 } };
u64 regionguard_boot_count = 1;
u64 regionguard_skip = 1;

/* Of the table of regions. */
u32 guard_busy;

static void answer(handler_regs *regs, int code)
{
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = (u64)code;
}

/* x1: physical address, x2: bytes, x3: enum guard_access. */
void regionguard_protect_hvc(handler_regs *regs)
{
	const struct guard_region region = { cpu_reg(regs, 1), cpu_reg(regs, 2), cpu_reg(regs, 3) };

	guard_lock(&guard_busy);
	answer(regs, regions_add(&region));
	guard_unlock(&guard_busy);
}

/* x1: the physical address that a region was protected by. */
void regionguard_release_hvc(handler_regs *regs)
{
	DECLARE_REG(u64, base, regs, 1);

	guard_lock(&guard_busy);
	answer(regs, regions_remove(base));
	guard_unlock(&guard_busy);
}

/* x1 = faults in guarded regions, x2 = address of the last one, x3 = its ESR_EL2. */
void regionguard_count_hvc(handler_regs *regs)
{
	answer(regs, 0);
	cpu_reg(regs, 1) = guard_faults.count;
	cpu_reg(regs, 2) = guard_faults.address;
	cpu_reg(regs, 3) = guard_faults.esr;
}

/* The handler comes last, for nothing takes it back. */
int regionguard_hyp_init(const struct pkvm_module_ops *ops)
{
	int ret;

	pkvm_ops = ops;
	if (regionguard_boot_count > GUARD_REGIONS)
		return -EINVAL;
	ret = regions_add_all(regionguard_boot, regionguard_boot_count);
	if (ret)
		return ret;
	ret = ops->register_host_perm_fault_handler(guard_fault);
	if (ret)
		regions_remove_all();
	return ret;
}
