/* SPDX-License-Identifier: GPL-2.0-only */
/* The arm64 part of struct module (pkvm-abi.md 2.4). */
#pragma once

#include <asm/pkvm_el2_module.h>
#include <linux/build_bug.h>
#include <linux/types.h>

struct mod_plt_sec {
	int plt_shndx;
	int plt_num_entries;
	int plt_max_entries;
};

struct mod_arch_specific {
	struct mod_plt_sec core;
	struct mod_plt_sec init;
	void *ftrace_trampolines;
	struct pkvm_el2_module hyp;
};

static_assert(offsetof(struct mod_arch_specific, hyp) == 32);
