/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <asm/pkvm_el2_module.h>

#if KMI_HANDLER_TAKES_CONTEXT
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif
