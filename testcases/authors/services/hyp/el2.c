// SPDX-License-Identifier: GPL-2.0-only
// The hypervisor half: three services behind one handler.
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/arm-smccc.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/types.h>
#include <nvhe/trap_handler.h>

#include "services.h"

/* EL1 sets it before the load. */
u64 services_factor = 1;

static const struct pkvm_module_ops *pkvm_ops;
static u64 calls;

u64 service_checksum(u64 address, u64 size);

/* Shares the page for as long as it takes. */
u64 service_checksum(u64 address, u64 size)
{
	u8 *bytes = pkvm_ops->hyp_va(address);
	u64 sum = 0;
	u64 i;

	if (WARN_ON(size > PAGE_SIZE) || pkvm_ops->host_share_hyp(PHYS_PFN(address)))
		return (u64)-EPERM;
	if (!pkvm_ops->pin_shared_mem(bytes, bytes + PAGE_SIZE)) {
		for (i = 0; i < size; i++)
			sum += bytes[i];
		pkvm_ops->unpin_shared_mem(bytes, bytes + PAGE_SIZE);
	}
	pkvm_ops->host_unshare_hyp(PHYS_PFN(address));
	return sum;
}

void services_hvc(handler_regs *regs)
{
	DECLARE_REG(enum service, number, regs, 1);
	DECLARE_REG(u64, first, regs, 2);
	DECLARE_REG(u64, second, regs, 3);

	calls++;
	if (number > SERVICE_COUNT) {
		cpu_reg(regs, 0) = SMCCC_RET_NOT_SUPPORTED;
		return;
	}
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = number == SERVICE_COUNT ? calls : service_table[number](first, second);
}

int services_hyp_init(const struct pkvm_module_ops *ops)
{
	BUILD_BUG_ON(SERVICE_COUNT != 2);
	pkvm_ops = ops;
	return 0;
}
