// SPDX-License-Identifier: GPL-2.0-only
// Brings an IOMMU driver for no hardware at all, as far as a kernel can tell, from 6.6 on.
#include <asm/kvm_host.h>
#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "../handler.h"

int kvm_nvhe_sym(iommu_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(iommu_hvc)(handler_regs *regs);

/* Pages for the driver's atomic pool. */
static unsigned int atomic = 1;
/* What init_driver answers without asking the hypervisor. */
static int fail;
/* What the driver's init answers at EL2. */
static int fail_hyp;
/* Registers no driver, or NULL, or the same one twice. */
static bool none;
static bool null;
static bool twice;
/* Makes a domain and uses it by the kernel's own functions (6.12). */
static bool domain;

module_param(atomic, uint, 0444);
module_param(fail, int, 0444);
module_param(fail_hyp, int, 0444);
module_param(none, bool, 0444);
module_param(null, bool, 0444);
module_param(twice, bool, 0444);
module_param(domain, bool, 0444);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
extern struct kvm_iommu_ops kvm_nvhe_sym(iommu_driver_ops);
extern int kvm_nvhe_sym(iommu_init_answer);
static unsigned long token;

static struct kvm_iommu_ops *driver_ops(void)
{
	return (struct kvm_iommu_ops *)pkvm_el2_mod_va(&kvm_nvhe_sym(iommu_driver_ops), token);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
static void use_domain(void)
{
	const unsigned long iova = 0x10000;
	size_t mapped = 0;

	pr_info("iommu: alloc %d\n", kvm_iommu_alloc_domain(3, 0));
	pr_info("iommu: attach %d\n", kvm_iommu_attach_dev(0, 3, 1, 0, 0, 0));
	pr_info("iommu: map %d", kvm_iommu_map_pages(3, iova, 0x50000000, PAGE_SIZE, 4, 3, 0, &mapped));
	pr_cont(", %zu bytes\n", mapped);
	pr_info("iommu: at 0x%llx\n", kvm_iommu_iova_to_phys(3, iova + PAGE_SIZE));
	pr_info("iommu: unmap %zu\n", kvm_iommu_unmap_pages(3, iova, PAGE_SIZE, 4));
	pr_info("iommu: detach %d\n", kvm_iommu_detach_dev(0, 3, 1, 0));
	pr_info("iommu: free %d\n", kvm_iommu_free_domain(3));
}

static int init_hyp(struct kvm_hyp_memcache *mc)
{
	return kvm_iommu_init_hyp(driver_ops(), mc);
}
#else
static void use_domain(void)
{
}

static int init_hyp(struct kvm_hyp_memcache *mc)
{
	return kvm_iommu_init_hyp(driver_ops(), mc, 0x1234);
}
#endif

static int init_driver(void)
{
	struct kvm_hyp_memcache mc = {};
	int ret;

	pr_info("iommu: init_driver\n");
	if (fail)
		return fail;
	ret = topup_hyp_memcache(&mc, atomic, 0);
	if (!ret)
		ret = init_hyp(&mc);
	pr_info("iommu: the hypervisor answers %d, %lu pages left\n", ret, mc.nr_pages);
	if (ret)
		free_hyp_memcache(&mc);
	if (!ret && domain)
		use_domain();
	return ret;
}

static void remove_driver(void)
{
	pr_info("iommu: remove_driver\n");
}

static struct kvm_iommu_driver driver = {
	.init_driver = init_driver,
	.remove_driver = remove_driver,
};

static int register_driver(void)
{
	int ret;

	if (none)
		return 0;
	if (null)
		pr_info("iommu: NULL %d\n", kvm_iommu_register_driver(NULL));
	ret = kvm_iommu_register_driver(&driver);
	pr_info("iommu: register %d\n", ret);
	if (twice)
		pr_info("iommu: again %d\n", kvm_iommu_register_driver(&driver));
	return ret;
}
#else
static unsigned long token;

static int register_driver(void)
{
	return 0;
}
#endif

static int __init iommu_init(void)
{
	int ret;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	kvm_nvhe_sym(iommu_init_answer) = fail_hyp;
#endif
	ret = pkvm_load_el2_module(kvm_nvhe_sym(iommu_hyp_init), &token);
	if (ret)
		return ret;
	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(iommu_hvc), token);
	if (ret < 0)
		return ret;
	return register_driver();
}
module_init(iommu_init);

MODULE_DESCRIPTION("Brings an IOMMU driver, and offers pKVM's operations for such as hypercalls");
MODULE_LICENSE("GPL");
