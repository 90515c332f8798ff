/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <asm/hyp_image.h>
#include <asm/kvm_asm.h>
#include <asm/kvm_pgtable.h>
#include <asm/ptrace.h>

#ifndef __KVM_NVHE_HYPERVISOR__
/* Pages for the hypervisor's heap, which hyp_alloc asked for (android15 and later). */
int __pkvm_topup_hyp_alloc(unsigned long nr_pages);
#endif
