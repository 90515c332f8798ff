// SPDX-License-Identifier: GPL-2.0-only
// The driver as android14 knows it: pKVM keeps the devices, tells what becomes of the host's
// memory, and hands over the host's accesses to their registers.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "sketch.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
/* The host has brought the table's pages, in order; they follow each other. */
static int devices_init(void *data, size_t size)
{
	const struct sketch_memory *memory = data;
	unsigned int i;
	int ret;

	if (size != sizeof(*memory))
		return -EINVAL;
	/* What is checked here cannot change any more once it is ours. */
	for (i = 0; i < SKETCH_RIGHTS_PAGES; i++)
		if (memory->pfns[i] != memory->pfns[0] + i)
			return -EINVAL;
	ret = pkvm_ops->host_donate_hyp(memory->pfns[0], SKETCH_RIGHTS_PAGES);
	if (ret)
		return ret;
	/* pKVM tells what is not the host's from now on, and all of it once. */
	rights_init(pkvm_ops->hyp_va(memory->pfns[0] << PAGE_SHIFT), false);
	return 0;
}

static int devices_validate(struct pkvm_iommu *dev)
{
	return dev->size == SKETCH_REGISTERS_SIZE && dev->pa ? 0 : -EINVAL;
}

/* One may feed another, of which all is switched on first. */
static int devices_validate_child(struct pkvm_iommu *dev, struct pkvm_iommu *child)
{
	return dev->ops == child->ops ? 0 : -EINVAL;
}

/* A device that nobody has is told by a flag: nothing is written to it. */
static void *registers_of(struct pkvm_iommu *dev)
{
	return iommusketch_registers ? dev->va : NULL;
}

static void devices_prepare(phys_addr_t start, phys_addr_t end, enum kvm_pgtable_prot prot)
{
	rights_change(start, end, !prot);
}

static void devices_apply(struct pkvm_iommu *dev, phys_addr_t start, phys_addr_t end)
{
	registers_forget(registers_of(dev));
}

static int devices_suspend(struct pkvm_iommu *dev)
{
	registers_switch(registers_of(dev), false);
	sketch_counts.suspends++;
	return 0;
}

static int devices_resume(struct pkvm_iommu *dev)
{
	void *base = registers_of(dev);
	int ret;

	registers_set_tables(base, rights_address(), 0);
	ret = registers_forget(base);
	if (ret)
		return ret;
	registers_switch(base, true);
	sketch_counts.resumes++;
	return 0;
}

static bool devices_abort(struct pkvm_iommu *dev, struct kvm_cpu_context *host_ctxt, u32 esr,
			  size_t off)
{
	/* The registers come first in it. */
	return registers_answer((u64 *)host_ctxt, esr, off);
}

static const struct pkvm_iommu_ops devices_ops = {
	.init = devices_init,
	.validate = devices_validate,
	.validate_child = devices_validate_child,
	.host_stage2_idmap_prepare = devices_prepare,
	.host_stage2_idmap_apply = devices_apply,
	.suspend = devices_suspend,
	.resume = devices_resume,
	.host_dabt_handler = devices_abort,
};

struct pkvm_iommu_driver iommusketch_driver = {
	.ops = &devices_ops,
};
#endif
