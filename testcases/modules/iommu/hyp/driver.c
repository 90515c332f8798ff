// SPDX-License-Identifier: GPL-2.0-only
// An IOMMU driver whose tables no hardware reads: one page of 512 entries for a domain.
#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#include "driver.h"

#include <linux/errno.h>
#include <linux/kernel.h>

struct kvm_hyp_iommu iommu_device;
struct kvm_hyp_iommu_domain iommu_identity;
struct heard heard = { .room = ~0UL };
int iommu_init_answer;

static u64 *entry(struct kvm_hyp_iommu_domain *domain, unsigned long iova)
{
	u64 *table = domain->priv;

	return &table[(iova >> PAGE_SHIFT) % 512];
}

static int driver_alloc_domain(struct kvm_hyp_iommu_domain *domain, int type)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	domain->priv = pkvm_ops->iommu_donate_pages(0, true);
#else
	domain->priv = pkvm_ops->iommu_donate_pages(0, 0);
#endif
	return domain->priv ? 0 : -ENOMEM;
}

static void driver_free_domain(struct kvm_hyp_iommu_domain *domain)
{
	pkvm_ops->iommu_reclaim_pages(domain->priv, 0);
	domain->priv = NULL;
}

static struct kvm_hyp_iommu *driver_get_iommu_by_id(pkvm_handle_t id)
{
	return id == 0 ? &iommu_device : NULL;
}

static int driver_map_pages(struct kvm_hyp_iommu_domain *domain, unsigned long iova,
			    phys_addr_t paddr, size_t pgsize, size_t pgcount, int prot,
			    size_t *total_mapped)
{
	size_t i;

	if (pgsize != PAGE_SIZE)
		return -EINVAL;
	for (i = 0; i < pgcount; i++) {
		if (i == heard.room)
			return -ENOMEM;
		*entry(domain, iova + i * PAGE_SIZE) = (paddr + i * PAGE_SIZE) | 1;
		*total_mapped += PAGE_SIZE;
	}
	return 0;
}

static phys_addr_t driver_iova_to_phys(struct kvm_hyp_iommu_domain *domain, unsigned long iova)
{
	const u64 found = *entry(domain, iova);

	return found & 1 ? found & ~0xfffUL : 0;
}

static void driver_iotlb_sync(struct kvm_hyp_iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	heard.synced++;
}

static void driver_host_stage2_idmap(struct kvm_hyp_iommu_domain *domain, phys_addr_t start,
				     phys_addr_t end, int prot)
{
	heard.told++;
	heard.bytes += end - start;
	heard.seen += start <= heard.watched && heard.watched < end;
	heard.start = start;
	heard.end = end;
	heard.prot = prot;
}

static int driver_suspend(struct kvm_hyp_iommu *iommu)
{
	heard.suspended++;
	return 0;
}

static int driver_resume(struct kvm_hyp_iommu *iommu)
{
	heard.resumed++;
	return 0;
}

static int driver_detach_dev(struct kvm_hyp_iommu *iommu, struct kvm_hyp_iommu_domain *domain,
			     u32 endpoint_id, u32 pasid)
{
	return 0;
}

/* Notes it, and leaves it to pKVM. */
static bool take_abort(u64 esr, u64 addr)
{
	heard.aborts++;
	heard.abort_address = addr;
	return false;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
static int driver_init(unsigned long arg)
{
	return arg == 0x1234 ? iommu_init_answer : -EINVAL;
}

static int driver_attach_dev(struct kvm_hyp_iommu *iommu, struct kvm_hyp_iommu_domain *domain,
			     u32 endpoint_id, u32 pasid, u32 pasid_bits)
{
	return 0;
}

static bool driver_dabt_handler(struct kvm_cpu_context *host_ctxt, u64 esr, u64 addr)
{
	return take_abort(esr, addr);
}

static size_t driver_unmap_pages(struct kvm_hyp_iommu_domain *domain, unsigned long iova,
				 size_t pgsize, size_t pgcount, struct iommu_iotlb_gather *gather,
				 struct kvm_iommu_paddr_cache *cache)
{
	size_t done = 0;

	for (; pgcount-- && driver_iova_to_phys(domain, iova + done); done += pgsize) {
		cache->paddr[cache->ptr] = driver_iova_to_phys(domain, iova + done);
		cache->pgsize[cache->ptr++] = pgsize;
		*entry(domain, iova + done) = 0;
		pkvm_ops->iommu_iotlb_gather_add_page(domain, gather, iova + done, pgsize);
	}
	return done;
}
#else
static int driver_init(void)
{
	return iommu_init_answer;
}

static int driver_attach_dev(struct kvm_hyp_iommu *iommu, struct kvm_hyp_iommu_domain *domain,
			     u32 endpoint_id, u32 pasid, u32 pasid_bits, unsigned long flags)
{
	return 0;
}

static bool driver_dabt_handler(struct user_pt_regs *regs, u64 esr, u64 addr)
{
	return take_abort(esr, addr);
}

static void driver_complete(bool map)
{
	heard.completed++;
}

static size_t driver_unmap_pages(struct kvm_hyp_iommu_domain *domain, unsigned long iova,
				 size_t pgsize, size_t pgcount, struct iommu_iotlb_gather *gather)
{
	size_t done = 0;

	for (; pgcount-- && driver_iova_to_phys(domain, iova + done); done += pgsize) {
		pkvm_ops->pkvm_unuse_dma(driver_iova_to_phys(domain, iova + done), pgsize);
		*entry(domain, iova + done) = 0;
		pkvm_ops->iommu_iotlb_gather_add_page(domain, gather, iova + done, pgsize);
	}
	return done;
}
#endif

struct kvm_iommu_ops iommu_driver_ops = {
	.init = driver_init,
	.get_iommu_by_id = driver_get_iommu_by_id,
	.alloc_domain = driver_alloc_domain,
	.free_domain = driver_free_domain,
	.attach_dev = driver_attach_dev,
	.detach_dev = driver_detach_dev,
	.dabt_handler = driver_dabt_handler,
	.suspend = driver_suspend,
	.resume = driver_resume,
	.iotlb_sync = driver_iotlb_sync,
	.host_stage2_idmap = driver_host_stage2_idmap,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	.host_stage2_idmap_complete = driver_complete,
#endif
	.map_pages = driver_map_pages,
	.unmap_pages = driver_unmap_pages,
	.iova_to_phys = driver_iova_to_phys,
};
#endif
