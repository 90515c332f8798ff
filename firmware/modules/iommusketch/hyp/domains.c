// SPDX-License-Identifier: GPL-2.0-only
// The driver as android15 and later know it: pKVM keeps domains, this maps in them, attaches one of
// them to the device, and keeps it away from what is not the host's.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "sketch.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define PAGES_OF(size) ((size) >> PAGE_SHIFT)

static struct kvm_hyp_iommu device;
static struct kvm_hyp_iommu_domain identity;
static void *base;
static u64 *attached;

static int program(void)
{
	registers_set_tables(base, rights_address(), attached ? pkvm_ops->hyp_pa(attached) : 0);
	return registers_forget(base);
}

/* One that does not answer is the host's again. */
static int start_device(void)
{
	const u64 pfn = PAGES_OF(iommusketch_registers);
	int ret;

	if (!iommusketch_registers)
		return 0;
	if (iommusketch_registers % PAGE_SIZE)
		return -EINVAL;
	ret = pkvm_ops->host_donate_hyp(pfn, 1, true);
	if (ret)
		return ret;
	base = pkvm_ops->hyp_va(iommusketch_registers);
	ret = program();
	if (!ret) {
		registers_switch(base, true);
		return 0;
	}
	/* Before it goes: pKVM tells the driver of that, too. */
	base = NULL;
	pkvm_ops->hyp_donate_host(pfn, 1);
	return ret;
}

/* What failed leaves nothing behind but the table's pages, which the pool keeps. */
static int start(void)
{
	u64 *table = pkvm_ops->iommu_donate_pages_atomic(SKETCH_RIGHTS_ORDER);
	int ret;

	if (!table)
		return -ENOMEM;
	/* The snapshot tells what devices may reach; nothing else. */
	rights_init(table, true);
	device.power_domain.type = KVM_POWER_DOMAIN_HOST_HVC;
	ret = pkvm_ops->iommu_init_device(&device);
	if (!ret)
		ret = pkvm_ops->iommu_snapshot_host_stage2(&identity);
	return ret ? ret : start_device();
}

static struct kvm_hyp_iommu *domains_get_iommu_by_id(pkvm_handle_t id)
{
	return id == 0 ? &device : NULL;
}

static int domains_alloc(struct kvm_hyp_iommu_domain *domain, int type)
{
	domain->priv = tables_alloc();
	return domain->priv ? 0 : -ENOMEM;
}

static void domains_free(struct kvm_hyp_iommu_domain *domain)
{
	tables_free(domain->priv);
	domain->priv = NULL;
}

static int attach(struct kvm_hyp_iommu_domain *domain)
{
	int ret;

	if (attached)
		return -EBUSY;
	attached = domain->priv;
	ret = program();
	if (ret)
		attached = NULL;
	return ret;
}

static int domains_detach(struct kvm_hyp_iommu *iommu, struct kvm_hyp_iommu_domain *domain,
			  u32 endpoint_id, u32 pasid)
{
	if (attached != domain->priv)
		return -EINVAL;
	attached = NULL;
	return program();
}

static int domains_map(struct kvm_hyp_iommu_domain *domain, unsigned long iova, phys_addr_t paddr,
		       size_t pgsize, size_t pgcount, int prot, size_t *total_mapped)
{
	int ret;

	if (pgsize != PAGE_SIZE)
		return -EINVAL;
	for (; pgcount--; *total_mapped += pgsize) {
		ret = tables_map(domain->priv, iova + *total_mapped, paddr + *total_mapped);
		if (ret)
			return ret;
	}
	return 0;
}

static phys_addr_t domains_find(struct kvm_hyp_iommu_domain *domain, unsigned long iova)
{
	const phys_addr_t page = tables_find(domain->priv, iova);

	return page ? page | (iova & (PAGE_SIZE - 1)) : 0;
}

static void domains_sync(struct kvm_hyp_iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	registers_forget(base);
}

static void domains_host_stage2(struct kvm_hyp_iommu_domain *domain, phys_addr_t begin,
				phys_addr_t end, int prot)
{
	rights_change(begin, end, !prot);
	registers_forget(base);
}

static int domains_suspend(struct kvm_hyp_iommu *iommu)
{
	registers_switch(base, false);
	sketch_counts.suspends++;
	return 0;
}

static int domains_resume(struct kvm_hyp_iommu *iommu)
{
	const int ret = program();

	if (ret)
		return ret;
	registers_switch(base, true);
	sketch_counts.resumes++;
	return 0;
}

static bool answer(u64 *regs, u64 esr, u64 addr)
{
	if (!base || addr - iommusketch_registers >= SKETCH_REGISTERS_SIZE)
		return false;
	return registers_answer(regs, esr, addr - iommusketch_registers);
}

/* A page on its way out: what the host must know of. */
static bool unmap_one(struct kvm_hyp_iommu_domain *domain, unsigned long iova,
		      struct iommu_iotlb_gather *gather)
{
	if (!tables_find(domain->priv, iova))
		return false;
	tables_clear(domain->priv, iova);
	pkvm_ops->iommu_iotlb_gather_add_page(domain, gather, iova, PAGE_SIZE);
	return true;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
static int domains_init(unsigned long arg)
{
	return start();
}

static int domains_attach(struct kvm_hyp_iommu *iommu, struct kvm_hyp_iommu_domain *domain,
			  u32 endpoint_id, u32 pasid, u32 pasid_bits)
{
	return attach(domain);
}

static bool domains_abort(struct kvm_cpu_context *host_ctxt, u64 esr, u64 addr)
{
	return answer((u64 *)host_ctxt, esr, addr);
}

static size_t domains_unmap(struct kvm_hyp_iommu_domain *domain, unsigned long iova, size_t pgsize,
			    size_t pgcount, struct iommu_iotlb_gather *gather,
			    struct kvm_iommu_paddr_cache *cache)
{
	size_t done = 0;

	for (; pgcount-- && cache->ptr < KVM_IOMMU_PADDR_CACHE_MAX; done += pgsize) {
		const phys_addr_t pa = tables_find(domain->priv, iova + done);

		if (!unmap_one(domain, iova + done, gather))
			break;
		cache->paddr[cache->ptr] = pa;
		cache->pgsize[cache->ptr++] = pgsize;
	}
	return done;
}
#else
static int domains_init(void)
{
	return start();
}

static int domains_attach(struct kvm_hyp_iommu *iommu, struct kvm_hyp_iommu_domain *domain,
			  u32 endpoint_id, u32 pasid, u32 pasid_bits, unsigned long flags)
{
	return attach(domain);
}

static bool domains_abort(struct user_pt_regs *regs, u64 esr, u64 addr)
{
	return answer(regs->regs, esr, addr);
}

static size_t domains_unmap(struct kvm_hyp_iommu_domain *domain, unsigned long iova, size_t pgsize,
			    size_t pgcount, struct iommu_iotlb_gather *gather)
{
	size_t done = 0;

	for (; pgcount--; done += pgsize) {
		const phys_addr_t pa = tables_find(domain->priv, iova + done);

		if (!unmap_one(domain, iova + done, gather))
			break;
		pkvm_ops->pkvm_unuse_dma(pa, pgsize);
	}
	return done;
}
#endif

struct kvm_iommu_ops iommusketch_ops = {
	.init = domains_init,
	.get_iommu_by_id = domains_get_iommu_by_id,
	.alloc_domain = domains_alloc,
	.free_domain = domains_free,
	.attach_dev = domains_attach,
	.detach_dev = domains_detach,
	.dabt_handler = domains_abort,
	.suspend = domains_suspend,
	.resume = domains_resume,
	.iotlb_sync = domains_sync,
	.host_stage2_idmap = domains_host_stage2,
	.map_pages = domains_map,
	.unmap_pages = domains_unmap,
	.iova_to_phys = domains_find,
};
#endif
