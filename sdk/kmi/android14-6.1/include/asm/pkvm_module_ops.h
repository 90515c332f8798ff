/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * android14-6.1: the operations that pKVM gives to EL2 code, 64 slots of 8 bytes (pkvm-abi.md 1.2,
 * semantics in 1.6). Slot 32 came after the freeze; NULL before.
 */
#pragma once

#include <asm/kvm_pgtable.h>
#include <generated/kmi.h>
#include <linux/build_bug.h>
#include <linux/types.h>

struct kvm_cpu_context;

enum pkvm_psci_notification {
	PKVM_PSCI_CPU_SUSPEND,
	PKVM_PSCI_SYSTEM_SUSPEND,
	PKVM_PSCI_CPU_ENTRY,
};

struct pkvm_module_ops {
	int (*create_private_mapping)(phys_addr_t phys, size_t size, enum kvm_pgtable_prot prot,
		unsigned long *haddr);
	void *(*alloc_module_va)(u64 nr_pages);
	int (*map_module_page)(u64 pfn, void *va, enum kvm_pgtable_prot prot, bool is_protected);
	int (*register_serial_driver)(void (*hyp_putc_cb)(char));
	void (*puts)(const char *str);
	void (*putx64)(u64 num);
	void *(*fixmap_map)(phys_addr_t phys);
	void (*fixmap_unmap)(void);
	void *(*linear_map_early)(phys_addr_t phys, size_t size, enum kvm_pgtable_prot prot);
	void (*linear_unmap_early)(void *addr, size_t size);
	void (*flush_dcache_to_poc)(void *addr, size_t size);
	void (*update_hcr_el2)(unsigned long set_mask, unsigned long clear_mask);
	void (*update_hfgwtr_el2)(unsigned long set_mask, unsigned long clear_mask);
	int (*register_host_perm_fault_handler)(int (*cb)(struct kvm_cpu_context *ctxt, u64 esr,
		u64 addr));
	int (*host_stage2_mod_prot)(u64 pfn, enum kvm_pgtable_prot prot);
	int (*host_stage2_get_leaf)(phys_addr_t phys, kvm_pte_t *ptep, u32 *level);
	int (*register_host_smc_handler)(bool (*cb)(struct kvm_cpu_context *));
	int (*register_default_trap_handler)(bool (*cb)(struct kvm_cpu_context *));
	int (*register_illegal_abt_notifier)(void (*cb)(struct kvm_cpu_context *));
	int (*register_psci_notifier)(void (*cb)(enum pkvm_psci_notification,
		struct kvm_cpu_context *));
	int (*register_hyp_panic_notifier)(void (*cb)(struct kvm_cpu_context *host_ctxt));
	int (*host_donate_hyp)(u64 pfn, u64 nr_pages);
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
	int (*host_stage2_mod_prot_range)(u64 pfn, enum kvm_pgtable_prot prot, u64 nr_pages);
	u64 __kabi_reserved[31];
};

#define __PKVM_SLOT(number, name) \
	static_assert(offsetof(struct pkvm_module_ops, name) == 8 * (number))
__PKVM_SLOT(0, create_private_mapping);
__PKVM_SLOT(1, alloc_module_va);
__PKVM_SLOT(2, map_module_page);
__PKVM_SLOT(3, register_serial_driver);
__PKVM_SLOT(4, puts);
__PKVM_SLOT(5, putx64);
__PKVM_SLOT(6, fixmap_map);
__PKVM_SLOT(7, fixmap_unmap);
__PKVM_SLOT(8, linear_map_early);
__PKVM_SLOT(9, linear_unmap_early);
__PKVM_SLOT(10, flush_dcache_to_poc);
__PKVM_SLOT(11, update_hcr_el2);
__PKVM_SLOT(12, update_hfgwtr_el2);
__PKVM_SLOT(13, register_host_perm_fault_handler);
__PKVM_SLOT(14, host_stage2_mod_prot);
__PKVM_SLOT(15, host_stage2_get_leaf);
__PKVM_SLOT(16, register_host_smc_handler);
__PKVM_SLOT(17, register_default_trap_handler);
__PKVM_SLOT(18, register_illegal_abt_notifier);
__PKVM_SLOT(19, register_psci_notifier);
__PKVM_SLOT(20, register_hyp_panic_notifier);
__PKVM_SLOT(21, host_donate_hyp);
__PKVM_SLOT(22, hyp_donate_host);
__PKVM_SLOT(23, host_share_hyp);
__PKVM_SLOT(24, host_unshare_hyp);
__PKVM_SLOT(25, pin_shared_mem);
__PKVM_SLOT(26, unpin_shared_mem);
__PKVM_SLOT(27, memcpy);
__PKVM_SLOT(28, memset);
__PKVM_SLOT(29, hyp_pa);
__PKVM_SLOT(30, hyp_va);
__PKVM_SLOT(31, kern_hyp_va);
__PKVM_SLOT(32, host_stage2_mod_prot_range);
__PKVM_SLOT(33, __kabi_reserved);
#undef __PKVM_SLOT
static_assert(sizeof(struct pkvm_module_ops) == 8 * KMI_OPS_SLOTS);
