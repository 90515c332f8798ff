/* SPDX-License-Identifier: GPL-2.0-only */
/* android15-6.6: what the kernel keeps about a module's EL2 half (pkvm-abi.md 2.4). */
#pragma once

#include <generated/kmi.h>
#include <linux/build_bug.h>
#include <linux/types.h>

struct pkvm_module_ops;
struct user_pt_regs;
struct hyp_event;
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
	struct pkvm_module_section sections;
	struct hyp_event *hyp_events;
	unsigned int nr_hyp_events;
	kvm_nvhe_reloc_t *relocs;
	struct list_head node;
	unsigned long token;
	unsigned int nr_relocs;
	int (*init)(const struct pkvm_module_ops *ops);
};

static_assert(offsetof(struct pkvm_el2_module, event_ids) == 64);
static_assert(offsetof(struct pkvm_el2_module, sections) == 80);
static_assert(offsetof(struct pkvm_el2_module, hyp_events) == 96);
static_assert(offsetof(struct pkvm_el2_module, nr_hyp_events) == 104);
static_assert(offsetof(struct pkvm_el2_module, relocs) == 112);
static_assert(offsetof(struct pkvm_el2_module, node) == 120);
static_assert(offsetof(struct pkvm_el2_module, token) == 136);
static_assert(offsetof(struct pkvm_el2_module, nr_relocs) == 144);
static_assert(offsetof(struct pkvm_el2_module, init) == KMI_HYP_INIT);
static_assert(sizeof(struct pkvm_el2_module) == KMI_HYP_SIZE);

/* What pkvm_el2_mod_va counts from (pkvm-abi.md 3.1). */
#define KMI_EL2_BASE(hyp) ((hyp).sections.start)
/* Handlers get the registers themselves, not a kvm_cpu_context that begins with them. */
#define KMI_HANDLER_TAKES_CONTEXT 0
