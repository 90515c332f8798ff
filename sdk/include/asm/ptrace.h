/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of the interrupted level as a handler gets them (pkvm-abi.md 1.1). */
#pragma once

#include <linux/build_bug.h>
#include <linux/types.h>

struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};

static_assert(offsetof(struct user_pt_regs, sp) == 0x0f8);
static_assert(offsetof(struct user_pt_regs, pc) == 0x100);
static_assert(offsetof(struct user_pt_regs, pstate) == 0x108);
static_assert(sizeof(struct user_pt_regs) == 0x110);
