// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: says where the device is, brings memory for its tables, and offers the driver to
// pKVM. android14 has drivers and devices, android15 and later one driver whose domains the kernel
// makes.
#include <asm/kvm_host.h>
#include <asm/kvm_pkvm_module.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/sizes.h>

#include "iommusketch.h"

static unsigned long long registers;
module_param(registers, ullong, 0444);
MODULE_PARM_DESC(registers, "Where the device's registers are; 0: nowhere, its tables are kept");

static unsigned long long memory_size = SZ_1G;
module_param(memory_size, ullong, 0444);
MODULE_PARM_DESC(memory_size, "Bytes of RAM, from its start");

static bool power;
module_param(power, bool, 0444);
MODULE_PARM_DESC(power, "Switch the device off and on again before the host gives up its privileges");

int kvm_nvhe_sym(iommusketch_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(iommusketch_hvc)(handler_regs *regs);
extern u64 kvm_nvhe_sym(iommusketch_registers);
extern u64 kvm_nvhe_sym(iommusketch_memory);
extern u64 kvm_nvhe_sym(iommusketch_memory_size);

static unsigned long token;

static char *compatible = "pkvm-emu,iommusketch";
module_param(compatible, charp, 0444);
MODULE_PARM_DESC(compatible, "The device's node, which names it to android16's power calls");

/* pKVM knows it by its address, the driver of android16 by its node. */
static struct device sketch_device;

static int cycle_power(void)
{
	int ret;

	if (!power)
		return 0;
	sketch_device.of_node = of_find_compatible_node(NULL, NULL, compatible);
	ret = pkvm_iommu_suspend(&sketch_device);
	return ret ? ret : pkvm_iommu_resume(&sketch_device);
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#include <asm/memory.h>

/* Free addresses without a device, for tables without one. */
#define NO_DEVICE 0x0c100000UL

struct pkvm_iommu_driver;
extern struct pkvm_iommu_driver kvm_nvhe_sym(iommusketch_driver);

static int init_driver(u64 driver)
{
	struct sketch_memory *memory;
	unsigned long pages;
	unsigned int i;
	int ret;

	memory = (struct sketch_memory *)get_zeroed_page(GFP_KERNEL);
	if (!memory)
		return -ENOMEM;
	pages = __get_free_pages(GFP_KERNEL | __GFP_ZERO, SKETCH_RIGHTS_ORDER);
	if (!pages) {
		free_page((unsigned long)memory);
		return -ENOMEM;
	}
	for (i = 0; i < SKETCH_RIGHTS_PAGES; i++)
		memory->pfns[i] = (__pa(pages) >> PAGE_SHIFT) + i;
	ret = pkvm_iommu_driver_init(driver, memory, sizeof(*memory));
	/* Once the driver has accepted them they are not ours. */
	if (ret)
		free_pages(pages, SKETCH_RIGHTS_ORDER);
	free_page((unsigned long)memory);
	return ret;
}

static int bring_driver(void)
{
	const u64 driver = pkvm_el2_mod_va(&kvm_nvhe_sym(iommusketch_driver), token);
	int ret;

	ret = init_driver(driver);
	if (!ret)
		ret = pkvm_iommu_register(&sketch_device, driver, registers ? registers : NO_DEVICE,
					  SKETCH_REGISTERS_SIZE, NULL, 0);
	if (!ret)
		ret = pkvm_iommu_resume(&sketch_device);
	if (!ret)
		ret = cycle_power();
	pr_info("iommusketch: driver %d\n", ret);
	/* Without it there is no protection from devices: the kernel has to know. */
	return pkvm_iommu_finalize(ret) ?: ret;
}
#else
struct kvm_iommu_ops;
extern struct kvm_iommu_ops kvm_nvhe_sym(iommusketch_ops);

static struct kvm_iommu_ops *driver_ops(void)
{
	return (struct kvm_iommu_ops *)pkvm_el2_mod_va(&kvm_nvhe_sym(iommusketch_ops), token);
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
static unsigned int device_id(struct device *dev)
{
	return 0;
}
#else
/* A node of its own, or no power domain that anybody set up. */
static unsigned int node_id(struct device_node *node)
{
	return node && of_device_is_compatible(node, compatible) ? 0 : SKETCH_NO_DOMAIN;
}
#endif

/* Called when all modules are there, before the host gives up its privileges. */
static int init_driver(void)
{
	struct kvm_hyp_memcache pages = {};
	int ret;

	ret = topup_hyp_memcache(&pages, 1, SKETCH_RIGHTS_ORDER);
	if (ret)
		return ret;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	ret = kvm_iommu_init_hyp(driver_ops(), &pages, 0);
#else
	ret = kvm_iommu_init_hyp(driver_ops(), &pages);
#endif
	if (ret)
		free_hyp_memcache(&pages);
	else
		ret = cycle_power();
	pr_info("iommusketch: driver %d\n", ret);
	return ret;
}

static void remove_driver(void)
{
}

static struct kvm_iommu_driver driver = {
	.init_driver = init_driver,
	.remove_driver = remove_driver,
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	.get_iommu_id = device_id,
#else
	.get_iommu_id_by_of = node_id,
#endif
};

static int bring_driver(void)
{
	return kvm_iommu_register_driver(&driver);
}
#endif

static int __init iommusketch_init(void)
{
	int ret;

	/* Possible only now: after the load these pages belong to the hypervisor. */
	kvm_nvhe_sym(iommusketch_registers) = registers;
	kvm_nvhe_sym(iommusketch_memory) = PHYS_OFFSET;
	kvm_nvhe_sym(iommusketch_memory_size) = memory_size;
	ret = pkvm_load_el2_module(kvm_nvhe_sym(iommusketch_hyp_init), &token);
	if (ret)
		return ret;
	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(iommusketch_hvc), token);
	return ret < 0 ? ret : bring_driver();
}
module_init(iommusketch_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("An IOMMU driver after those that phones have");
MODULE_LICENSE("GPL");
