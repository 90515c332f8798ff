// SPDX-License-Identifier: GPL-2.0-only
// The operations for IOMMU drivers and devices, one hypercall operation each, so that tests can
// drive them from EL1 (operations.h).
#include "../operations.h"

#include <asm/kvm_host.h>
#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "../../handler.h"

const struct pkvm_module_ops *pkvm_ops;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#include "driver.h"

/* What was donated and not returned, the last one last. */
static void *donated[16];
static unsigned int donations;
static void *last_atomic;

static void *pages_of(u8 order, u64 argument)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	return pkvm_ops->iommu_donate_pages(order, argument != 0);
#else
	return pkvm_ops->iommu_donate_pages(order, (int)argument);
#endif
}

static u64 iommu_donate(handler_regs *regs)
{
	const u64 order = cpu_reg(regs, 2);
	u64 *block = pages_of((u8)order, cpu_reg(regs, 3));
	u64 all = 0;
	u64 i;

	for (i = 0; block && i < (512UL << order); i++) {
		all |= block[i];
		block[i] = ~0UL;
	}
	if (block && donations < ARRAY_SIZE(donated))
		donated[donations++] = block;
	cpu_reg(regs, 2) = all;
	return (u64)block;
}

static u64 iommu_reclaim(handler_regs *regs)
{
	const unsigned int back = (unsigned int)cpu_reg(regs, 3);
	unsigned int i;

	if (back >= donations)
		return -EINVAL;
	pkvm_ops->iommu_reclaim_pages(donated[donations - 1 - back], (u8)cpu_reg(regs, 2));
	for (i = donations - 1 - back; i + 1 < donations; i++)
		donated[i] = donated[i + 1];
	donations--;
	return 0;
}

static u64 iommu_donate_atomic(handler_regs *regs)
{
	void *block = pkvm_ops->iommu_donate_pages_atomic((u8)cpu_reg(regs, 2));

	if (block)
		last_atomic = block;
	return (u64)block;
}

static u64 iommu_reclaim_atomic(handler_regs *regs)
{
	pkvm_ops->iommu_reclaim_pages_atomic(last_atomic, (u8)cpu_reg(regs, 2));
	return 0;
}

static u64 iommu_init_device(handler_regs *regs)
{
	u64 ret;

	iommu_device.lock = 0x55;
	iommu_device.power_domain.type = (enum kvm_power_domain_type)cpu_reg(regs, 2);
	iommu_device.power_domain.device_id = cpu_reg(regs, 3);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	if (cpu_reg(regs, 2) == KVM_POWER_DOMAIN_ARM_SCMI) {
		iommu_device.power_domain.arm_scmi.shmem_base = cpu_reg(regs, 4);
		iommu_device.power_domain.arm_scmi.shmem_size = cpu_reg(regs, 5);
	}
#endif
	ret = pkvm_ops->iommu_init_device(&iommu_device);
	cpu_reg(regs, 2) = iommu_device.lock;
	return ret;
}

static struct iommu_iotlb_gather gathered = { .start = ~0UL };

static u64 iommu_gather(handler_regs *regs)
{
	pkvm_ops->iommu_iotlb_gather_add_page(&iommu_identity, &gathered, cpu_reg(regs, 2),
					      cpu_reg(regs, 3));
	cpu_reg(regs, 2) = gathered.start;
	cpu_reg(regs, 3) = gathered.end;
	return heard.synced;
}

static u64 iommu_snapshot(handler_regs *regs)
{
	u64 ret;

	heard.bytes = 0;
	heard.watched = cpu_reg(regs, 2);
	heard.seen = 0;
	ret = pkvm_ops->iommu_snapshot_host_stage2(&iommu_identity);
	cpu_reg(regs, 2) = heard.bytes >> 26;
	cpu_reg(regs, 3) = heard.seen;
	heard.told = 0;
	heard.completed = 0;
	return ret;
}

static u64 iommu_told(handler_regs *regs)
{
	const u64 told = heard.told;

	cpu_reg(regs, 2) = heard.start;
	cpu_reg(regs, 3) = heard.end;
	cpu_reg(regs, 4) = heard.prot;
	cpu_reg(regs, 5) = heard.completed;
	heard.told = 0;
	heard.completed = 0;
	return told;
}

static u64 iommu_power(handler_regs *regs)
{
	cpu_reg(regs, 2) = heard.resumed;
	cpu_reg(regs, 3) = iommu_device.power_is_off;
	return heard.suspended;
}

static u64 iommu_aborts(handler_regs *regs)
{
	cpu_reg(regs, 2) = heard.abort_address;
	return heard.aborts;
}

static u64 iommu_mod_prot(handler_regs *regs)
{
	return pkvm_ops->host_stage2_mod_prot(cpu_reg(regs, 2),
					      (enum kvm_pgtable_prot)cpu_reg(regs, 3), 1,
					      cpu_reg(regs, 4) != 0);
}

static u64 iommu_share(handler_regs *regs)
{
	return pkvm_ops->host_share_hyp(cpu_reg(regs, 2));
}

static u64 iommu_donate_host(handler_regs *regs)
{
	return pkvm_ops->host_donate_hyp(cpu_reg(regs, 2), 1, cpu_reg(regs, 3) != 0);
}

static u64 iommu_return(handler_regs *regs)
{
	return pkvm_ops->hyp_donate_host(cpu_reg(regs, 2), 1);
}

static u64 iommu_room(handler_regs *regs)
{
	heard.room = cpu_reg(regs, 2);
	return 0;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
static u64 iommu_request(handler_regs *regs)
{
	struct kvm_hyp_req request = {
		.type = (u8)cpu_reg(regs, 2),
		.mem = { .dest = REQ_MEM_DEST_HYP_ALLOC, .nr_pages = (int)cpu_reg(regs, 3),
			 .sz_alloc = PAGE_SIZE },
	};

	return pkvm_ops->iommu_request(&request);
}

static u64 iommu_flush(handler_regs *regs)
{
	static struct kvm_iommu_paddr_cache cache;

	cache.paddr[0] = cpu_reg(regs, 2);
	cache.pgsize[0] = cpu_reg(regs, 3);
	cache.ptr = 1;
	pkvm_ops->iommu_flush_unmap_cache(&cache);
	return cache.ptr;
}
#define iommu_unuse 0
#define iommu_reset 0

static u64 iommu_leaf(handler_regs *regs)
{
	kvm_pte_t pte = 0;
	u32 level = 0;
	const u64 ret = pkvm_ops->host_stage2_get_leaf(cpu_reg(regs, 2), &pte, &level);

	cpu_reg(regs, 2) = pte;
	return ret;
}
#else
static u64 iommu_unuse(handler_regs *regs)
{
	return pkvm_ops->pkvm_unuse_dma(cpu_reg(regs, 2), cpu_reg(regs, 3));
}

static int reset_device(void *cookie, bool host_to_guest)
{
	return 0;
}

static u64 iommu_reset(handler_regs *regs)
{
	return pkvm_ops->device_register_reset(cpu_reg(regs, 2), NULL, reset_device);
}
#define iommu_request 0
#define iommu_flush 0

static u64 iommu_leaf(handler_regs *regs)
{
	kvm_pte_t pte = 0;
	s8 level = 0;
	const u64 ret = pkvm_ops->host_stage2_get_leaf(cpu_reg(regs, 2), &pte, &level);

	cpu_reg(regs, 2) = pte;
	return ret;
}
#endif

static u64 (*const operations[])(handler_regs *regs) = {
	[IOMMU_DONATE] = iommu_donate,
	[IOMMU_RECLAIM] = iommu_reclaim,
	[IOMMU_DONATE_ATOMIC] = iommu_donate_atomic,
	[IOMMU_RECLAIM_ATOMIC] = iommu_reclaim_atomic,
	[IOMMU_REQUEST] = iommu_request,
	[IOMMU_INIT_DEVICE] = iommu_init_device,
	[IOMMU_GATHER] = iommu_gather,
	[IOMMU_FLUSH] = iommu_flush,
	[IOMMU_SNAPSHOT] = iommu_snapshot,
	[IOMMU_TOLD] = iommu_told,
	[IOMMU_UNUSE] = iommu_unuse,
	[IOMMU_RESET] = iommu_reset,
	[IOMMU_POWER] = iommu_power,
	[IOMMU_ABORTS] = iommu_aborts,
	[IOMMU_MOD_PROT] = iommu_mod_prot,
	[IOMMU_SHARE] = iommu_share,
	[IOMMU_DONATE_HOST] = iommu_donate_host,
	[IOMMU_RETURN] = iommu_return,
	[IOMMU_ROOM] = iommu_room,
	[IOMMU_LEAF] = iommu_leaf,
};

void iommu_hvc(handler_regs *regs)
{
	DECLARE_REG(u64, number, regs, 1);
	const bool known = number < ARRAY_SIZE(operations) && operations[number];

	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = known ? operations[number](regs) : -ENOSYS;
}
#else
void iommu_hvc(handler_regs *regs)
{
	cpu_reg(regs, 1) = -ENOSYS;
}
#endif

int iommu_hyp_init(const struct pkvm_module_ops *ops)
{
	pkvm_ops = ops;
	return 0;
}
