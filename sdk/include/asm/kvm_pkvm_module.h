/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface of pKVM vendor modules: the operations that EL2 code gets (a table of the
 * generation, see its <asm/pkvm_module_ops.h>) and the calls that the EL1 half makes to load its
 * EL2 half and to reach it (pkvm-abi.md 3.1, 4.4).
 */
#pragma once

#include <asm/hyp_image.h>
#include <asm/kvm_asm.h>
#include <asm/kvm_pgtable.h>
#include <asm/page.h>
#include <asm/pkvm_module_ops.h>
#include <asm/ptrace.h>
#include <linux/arm-smccc.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/types.h>
#include <nvhe/trap_handler.h>

#if defined(MODULE) && !defined(__KVM_NVHE_HYPERVISOR__)
#include <linux/module.h>

int __pkvm_load_el2_module(struct module *this, unsigned long *token);
int __pkvm_register_el2_call(unsigned long hfn_hyp_va);

/* Hands the EL2 half over; `init_fn` is kvm_nvhe_sym(...) of its init. The token may be NULL. */
#define pkvm_load_el2_module(init_fn, token)                  \
	({                                                    \
		THIS_MODULE->arch.hyp.init = (init_fn);       \
		__pkvm_load_el2_module(THIS_MODULE, (token)); \
	})

/* Where EL2 sees the EL2 symbol whose EL1 address is `kern_va`. */
static inline unsigned long pkvm_el2_mod_va(void *kern_va, unsigned long token)
{
	return token + (unsigned long)kern_va - (unsigned long)KMI_EL2_BASE(THIS_MODULE->arch.hyp);
}

/* Makes an EL2 function callable from EL1; returns its number or a negative error. */
static inline int pkvm_register_el2_mod_call(dyn_hcall_t hfn, unsigned long token)
{
	return __pkvm_register_el2_call(pkvm_el2_mod_va((void *)hfn, token));
}

/* Calls a registered function with up to seven arguments: x1 of the answer, x0 has to be 0. */
#define pkvm_el2_mod_call(id, ...)                                                      \
	({                                                                              \
		struct arm_smccc_res __res;                                             \
		arm_smccc_1_1_hvc(KVM_HOST_SMCCC_ID(id), ##__VA_ARGS__, &__res);         \
		WARN_ON(__res.a0 != SMCCC_RET_SUCCESS);                                 \
		__res.a1;                                                               \
	})
#endif
