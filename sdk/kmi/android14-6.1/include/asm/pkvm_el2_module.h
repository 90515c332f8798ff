/* SPDX-License-Identifier: GPL-2.0-only */
/* android14-6.1: what the kernel keeps about a module's EL2 half (pkvm-abi.md 2.4). */
#pragma once

#include <asm/ptrace.h>
#include <generated/kmi.h>
#include <linux/build_bug.h>
#include <linux/types.h>

struct pkvm_module_ops;
typedef s32 kvm_nvhe_reloc_t;

/* Begins with the host's registers; what follows is the hypervisor's own (pkvm-abi.md 1.1). */
struct kvm_cpu_context {
	struct user_pt_regs regs;
	u64 __private[];
};

/* A hypercall handler (pkvm-abi.md 4.3). */
typedef void (*dyn_hcall_t)(struct kvm_cpu_context *);

struct pkvm_module_section {
	void *start;
	void *end;
};

struct pkvm_el2_module {
	struct pkvm_module_section text;
	struct pkvm_module_section bss;
	struct pkvm_module_section rodata;
	struct pkvm_module_section data;
	kvm_nvhe_reloc_t *relocs;
	unsigned int nr_relocs;
	int (*init)(const struct pkvm_module_ops *ops);
};

static_assert(offsetof(struct pkvm_el2_module, data) == 48);
static_assert(offsetof(struct pkvm_el2_module, relocs) == 64);
static_assert(offsetof(struct pkvm_el2_module, nr_relocs) == 72);
static_assert(offsetof(struct pkvm_el2_module, init) == KMI_HYP_INIT);
static_assert(sizeof(struct pkvm_el2_module) == KMI_HYP_SIZE);

/* What pkvm_el2_mod_va counts from (pkvm-abi.md 3.1). */
#define KMI_EL2_BASE(hyp) ((hyp).text.start)
/* Handlers get the hypervisor's context, which begins with the registers. */
#define KMI_HANDLER_TAKES_CONTEXT 1
