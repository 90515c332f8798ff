/* SPDX-License-Identifier: GPL-2.0-only */
/* What the EL2 sources of this module share: the operations that are not in el2.c. */
#pragma once

#include <asm/kvm_pkvm_module.h>
#include <linux/types.h>

#include "../../handler.h"

extern const struct pkvm_module_ops *pkvm_ops;

/* stage2.c: the host's side. */
u64 memory_mod_prot(handler_regs *regs);
u64 memory_mod_prot_range(handler_regs *regs);
u64 memory_leaf(handler_regs *regs);
u64 memory_lazy_on(handler_regs *regs);
u64 memory_lazy_off(handler_regs *regs);
u64 memory_donate_prot(handler_regs *regs);
u64 memory_donate_list(handler_regs *regs);

/* windows.c: the hypervisor's side. */
u64 memory_early_on(handler_regs *regs);
u64 memory_early_off(handler_regs *regs);
u64 memory_fixmap(handler_regs *regs);
u64 memory_fixmap_off(handler_regs *regs);
u64 memory_fixblock(handler_regs *regs);
u64 memory_fixblock_off(handler_regs *regs);
u64 memory_peek(handler_regs *regs);
u64 memory_poke(handler_regs *regs);
u64 memory_private(handler_regs *regs);
u64 memory_map_page(handler_regs *regs);
u64 memory_pin_range(handler_regs *regs);
u64 memory_unpin_range(handler_regs *regs);
u64 memory_stage2(handler_regs *regs);
u64 memory_stage1(handler_regs *regs);

/* faults.c: handlers and notifiers. */
u64 memory_handler(handler_regs *regs);
u64 memory_answer(handler_regs *regs);
u64 memory_handled(handler_regs *regs);
u64 memory_notifier(handler_regs *regs);
u64 memory_notified(handler_regs *regs);
