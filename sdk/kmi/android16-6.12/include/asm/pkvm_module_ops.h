/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * android16-6.12: the operations that pKVM gives to EL2 code, 93 slots of 8 bytes (pkvm-abi.md 1.4,
 * semantics in 1.6). Slots 54 and 55 exist because GKI hardens its lists. The prototypes decide the
 * kCFI hashes of the calls, so their types are spelled as the kernel spells them.
 */
#pragma once

#include <asm/kvm_pgtable.h>
#include <generated/kmi.h>
#include <linux/build_bug.h>
#include <linux/types.h>

struct arm_smccc_1_2_regs;
struct iommu_iotlb_gather;
struct kvm_hyp_iommu;
struct kvm_hyp_iommu_domain;
struct user_pt_regs;

typedef unsigned int pkvm_handle_t;

enum pkvm_psci_notification {
	PKVM_PSCI_CPU_SUSPEND,
	PKVM_PSCI_SYSTEM_SUSPEND,
	PKVM_PSCI_CPU_ENTRY,
};

/* One entry of a donation list; 6 bytes (pkvm-abi.md 1.1). */
struct pkvm_sglist_page {
	u64 pfn : 40;
	u8 order;
} __packed;
static_assert(sizeof(struct pkvm_sglist_page) == 6);

/* The list checks are slow paths: they leave all registers but x9 to x17 alone (1.6). */
#define __pkvm_slowpath __attribute__((__preserve_most__))

struct pkvm_module_ops {
	int (*create_private_mapping)(phys_addr_t phys, size_t size, enum kvm_pgtable_prot prot,
		unsigned long *haddr);
	void *(*alloc_module_va)(u64 nr_pages);
	int (*map_module_page)(u64 pfn, void *va, enum kvm_pgtable_prot prot, bool is_protected);
	int (*register_serial_driver)(void (*hyp_putc_cb)(char));
	void (*putc)(char c);
	void (*puts)(const char *s);
	void (*putx64)(u64 x);
	void *(*fixmap_map)(phys_addr_t phys);
	void (*fixmap_unmap)(void);
	void *(*fixblock_map)(phys_addr_t phys);
	void (*fixblock_unmap)(void);
	void *(*linear_map_early)(phys_addr_t phys, size_t size, enum kvm_pgtable_prot prot);
	void (*linear_unmap_early)(void *addr, size_t size);
	void (*flush_dcache_to_poc)(void *addr, size_t size);
	void (*update_hcr_el2)(unsigned long set_mask, unsigned long clear_mask);
	void (*update_hfgwtr_el2)(unsigned long set_mask, unsigned long clear_mask);
	int (*register_host_perm_fault_handler)(int (*cb)(struct user_pt_regs *regs, u64 esr,
		u64 addr));
	int (*host_stage2_mod_prot)(u64 pfn, enum kvm_pgtable_prot prot, u64 nr_pages,
		bool update_iommu);
	int (*host_stage2_get_leaf)(phys_addr_t phys, kvm_pte_t *ptep, s8 *level);
	int (*host_stage2_enable_lazy_pte)(u64 addr, u64 nr_pages);
	int (*host_stage2_disable_lazy_pte)(u64 addr, u64 nr_pages);
	int (*register_host_smc_handler)(bool (*cb)(struct user_pt_regs *));
	int (*register_guest_smc_handler)(bool (*cb)(struct arm_smccc_1_2_regs *regs,
		struct arm_smccc_1_2_regs *res, pkvm_handle_t handle));
	int (*register_default_trap_handler)(bool (*cb)(struct user_pt_regs *));
	int (*register_illegal_abt_notifier)(void (*cb)(struct user_pt_regs *));
	int (*register_psci_notifier)(void (*cb)(enum pkvm_psci_notification,
		struct user_pt_regs *));
	int (*register_hyp_panic_notifier)(void (*cb)(struct user_pt_regs *));
	int (*register_unmask_serror)(bool (*unmask)(void), void (*mask)(void));
	int (*host_donate_hyp)(u64 pfn, u64 nr_pages, bool accept_mmio);
	int (*host_donate_hyp_prot)(u64 pfn, u64 nr_pages, bool accept_mmio,
		enum kvm_pgtable_prot prot);
	int (*host_donate_sglist_hyp)(struct pkvm_sglist_page *sglist, size_t nr_pages);
	int (*hyp_donate_host)(u64 pfn, u64 nr_pages);
	int (*host_share_hyp)(u64 pfn);
	int (*host_unshare_hyp)(u64 pfn);
	int (*pin_shared_mem)(void *from, void *to);
	void (*unpin_shared_mem)(void *from, void *to);
	void *(*memcpy)(void *to, const void *from, size_t count);
	void *(*memset)(void *dst, int c, size_t count);
	phys_addr_t (*hyp_pa)(void *x);
	void *(*hyp_va)(phys_addr_t phys);
	unsigned long (*kern_hyp_va)(unsigned long x);
	void *(*tracing_reserve_entry)(unsigned long length);
	void (*tracing_commit_entry)(void);
	void (*tracing_mod_hyp_printk)(u8 fmt_id, u64 a, u64 b, u64 c, u64 d);
	void *(*hyp_alloc)(size_t size);
	int (*hyp_alloc_errno)(void);
	void (*hyp_free)(void *addr);
	u8 (*hyp_alloc_missing_donations)(void);
	void *(*iommu_donate_pages)(u8 order, int flags);
	void (*iommu_reclaim_pages)(void *p, u8 order);
	int (*iommu_init_device)(struct kvm_hyp_iommu *iommu);
	void (*udelay)(unsigned long usecs);
	void (*iommu_iotlb_gather_add_page)(struct kvm_hyp_iommu_domain *domain,
		struct iommu_iotlb_gather *gather, unsigned long iova, size_t size);
	int (*pkvm_unuse_dma)(phys_addr_t phys_addr, size_t size);
	bool (*list_add_valid_or_report)(struct list_head *entry, struct list_head *prev,
		struct list_head *next) __pkvm_slowpath;
	bool (*list_del_entry_valid_or_report)(struct list_head *entry) __pkvm_slowpath;
	int (*iommu_snapshot_host_stage2)(struct kvm_hyp_iommu_domain *domain);
	void *(*iommu_donate_pages_atomic)(u8 order);
	void (*iommu_reclaim_pages_atomic)(void *p, u8 order);
	int (*hyp_smp_processor_id)(void);
	int (*device_register_reset)(u64 phys, void *cookie, int (*cb)(void *cookie,
		bool host_to_guest));
	u64 __kabi_reserved[32];
};

#undef __pkvm_slowpath

#define __PKVM_SLOT(number, name) \
	static_assert(offsetof(struct pkvm_module_ops, name) == 8 * (number))
__PKVM_SLOT(0, create_private_mapping);
__PKVM_SLOT(1, alloc_module_va);
__PKVM_SLOT(2, map_module_page);
__PKVM_SLOT(3, register_serial_driver);
__PKVM_SLOT(4, putc);
__PKVM_SLOT(5, puts);
__PKVM_SLOT(6, putx64);
__PKVM_SLOT(7, fixmap_map);
__PKVM_SLOT(8, fixmap_unmap);
__PKVM_SLOT(9, fixblock_map);
__PKVM_SLOT(10, fixblock_unmap);
__PKVM_SLOT(11, linear_map_early);
__PKVM_SLOT(12, linear_unmap_early);
__PKVM_SLOT(13, flush_dcache_to_poc);
__PKVM_SLOT(14, update_hcr_el2);
__PKVM_SLOT(15, update_hfgwtr_el2);
__PKVM_SLOT(16, register_host_perm_fault_handler);
__PKVM_SLOT(17, host_stage2_mod_prot);
__PKVM_SLOT(18, host_stage2_get_leaf);
__PKVM_SLOT(19, host_stage2_enable_lazy_pte);
__PKVM_SLOT(20, host_stage2_disable_lazy_pte);
__PKVM_SLOT(21, register_host_smc_handler);
__PKVM_SLOT(22, register_guest_smc_handler);
__PKVM_SLOT(23, register_default_trap_handler);
__PKVM_SLOT(24, register_illegal_abt_notifier);
__PKVM_SLOT(25, register_psci_notifier);
__PKVM_SLOT(26, register_hyp_panic_notifier);
__PKVM_SLOT(27, register_unmask_serror);
__PKVM_SLOT(28, host_donate_hyp);
__PKVM_SLOT(29, host_donate_hyp_prot);
__PKVM_SLOT(30, host_donate_sglist_hyp);
__PKVM_SLOT(31, hyp_donate_host);
__PKVM_SLOT(32, host_share_hyp);
__PKVM_SLOT(33, host_unshare_hyp);
__PKVM_SLOT(34, pin_shared_mem);
__PKVM_SLOT(35, unpin_shared_mem);
__PKVM_SLOT(36, memcpy);
__PKVM_SLOT(37, memset);
__PKVM_SLOT(38, hyp_pa);
__PKVM_SLOT(39, hyp_va);
__PKVM_SLOT(40, kern_hyp_va);
__PKVM_SLOT(41, tracing_reserve_entry);
__PKVM_SLOT(42, tracing_commit_entry);
__PKVM_SLOT(43, tracing_mod_hyp_printk);
__PKVM_SLOT(44, hyp_alloc);
__PKVM_SLOT(45, hyp_alloc_errno);
__PKVM_SLOT(46, hyp_free);
__PKVM_SLOT(47, hyp_alloc_missing_donations);
__PKVM_SLOT(48, iommu_donate_pages);
__PKVM_SLOT(49, iommu_reclaim_pages);
__PKVM_SLOT(50, iommu_init_device);
__PKVM_SLOT(51, udelay);
__PKVM_SLOT(52, iommu_iotlb_gather_add_page);
__PKVM_SLOT(53, pkvm_unuse_dma);
__PKVM_SLOT(54, list_add_valid_or_report);
__PKVM_SLOT(55, list_del_entry_valid_or_report);
__PKVM_SLOT(56, iommu_snapshot_host_stage2);
__PKVM_SLOT(57, iommu_donate_pages_atomic);
__PKVM_SLOT(58, iommu_reclaim_pages_atomic);
__PKVM_SLOT(59, hyp_smp_processor_id);
__PKVM_SLOT(60, device_register_reset);
__PKVM_SLOT(61, __kabi_reserved);
#undef __PKVM_SLOT
static_assert(sizeof(struct pkvm_module_ops) == 8 * KMI_OPS_SLOTS);
