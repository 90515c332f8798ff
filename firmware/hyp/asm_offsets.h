/* SPDX-License-Identifier: GPL-2.0-only */
/* Offsets that assembly and C++ share; per_cpu.h and panic.h check each against the structure. */
#pragma once

/* NOLINTBEGIN(modernize-macro-to-enum): the assembler reads them. */

#define PER_CPU_HOST 0x000
#define PER_CPU_PARAMS 0x110
#define PER_CPU_SIZE 0x180

#define PARAMS_MAIR 0
#define PARAMS_TCR 8
#define PARAMS_TPIDR 16
#define PARAMS_STACK 24
#define PARAMS_PGD 40
#define PARAMS_HCR 48
#define PARAMS_VTTBR 64
#define PARAMS_VTCR 72
#define PARAMS_SIZE 80

#define BOOT_INFO_PHYSVIRT 8

#define PANIC_EXIT_HANDLER 64
#define PANIC_EXIT_HOST 72

#define PANIC_FROM_EL2 0
#define PANIC_FROM_HOST 1

/* SCTLR_EL2 with the MMU on: RES1, WXN, I, SA, C, M (pkvm-abi.md 4.5; Arm ARM D17.2.119). */
#define SCTLR_EL2_ON 0x30CD183D
/* CPTR_EL2: RES1 bits; SVE stays trapped. */
#define CPTR_EL2_NO_TRAPS 0x33ff
/* NOLINTEND(modernize-macro-to-enum) */
