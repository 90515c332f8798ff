/* SPDX-License-Identifier: GPL-2.0-only */
/* android16-6.12: what the kernel keeps about a module's EL2 half (pkvm-abi.md 2.4), and a type. */
#pragma once

#include <generated/kmi.h>
#include <linux/build_bug.h>
#include <linux/types.h>

struct pkvm_module_ops;
struct user_pt_regs;
struct hyp_event;
struct hyp_printk_fmt;
typedef s32 kvm_nvhe_reloc_t;

/* A hypercall handler (pkvm-abi.md 4.3). */
typedef void (*dyn_hcall_t)(struct user_pt_regs *);

struct pkvm_module_section {
	void *start;
	void *end;
};

struct pkvm_el2_module {
	struct pkvm_module_section text;
	struct pkvm_module_section bss;
	struct pkvm_module_section rodata;
	struct pkvm_module_section data;
	struct pkvm_module_section event_ids;
	struct pkvm_module_section patchable_function_entries;
	struct pkvm_module_section sections;
	unsigned long hyp_va;
	struct hyp_event *hyp_events;
	struct hyp_printk_fmt *hyp_printk_fmts;
	unsigned int nr_hyp_events;
	unsigned int nr_hyp_printk_fmts;
	kvm_nvhe_reloc_t *relocs;
	struct list_head node;
	struct list_head ext_symbols;
	unsigned int nr_relocs;
	int (*init)(const struct pkvm_module_ops *ops);
};

/* One entry of a donation list; 6 bytes (pkvm-abi.md 1.1). */
struct pkvm_sglist_page {
	u64 pfn : 40;
	u8 order;
} __packed;
static_assert(sizeof(struct pkvm_sglist_page) == 6);

static_assert(offsetof(struct pkvm_el2_module, patchable_function_entries) == 80);
static_assert(offsetof(struct pkvm_el2_module, sections) == 96);
static_assert(offsetof(struct pkvm_el2_module, hyp_va) == 112);
static_assert(offsetof(struct pkvm_el2_module, hyp_events) == 120);
static_assert(offsetof(struct pkvm_el2_module, hyp_printk_fmts) == 128);
static_assert(offsetof(struct pkvm_el2_module, nr_hyp_events) == 136);
static_assert(offsetof(struct pkvm_el2_module, nr_hyp_printk_fmts) == 140);
static_assert(offsetof(struct pkvm_el2_module, relocs) == 144);
static_assert(offsetof(struct pkvm_el2_module, node) == 152);
static_assert(offsetof(struct pkvm_el2_module, ext_symbols) == 168);
static_assert(offsetof(struct pkvm_el2_module, nr_relocs) == 184);
static_assert(offsetof(struct pkvm_el2_module, init) == KMI_HYP_INIT);
static_assert(sizeof(struct pkvm_el2_module) == KMI_HYP_SIZE);

/* What pkvm_el2_mod_va counts from (pkvm-abi.md 3.1). */
#define KMI_EL2_BASE(hyp) ((hyp).sections.start)
/* Handlers get the registers themselves, not a kvm_cpu_context that begins with them. */
#define KMI_HANDLER_TAKES_CONTEXT 0
