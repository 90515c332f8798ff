// SPDX-License-Identifier: GPL-2.0-only
// Register values that assembly and C++ share; checked against the C++ contract where they repeat
// it (early.cpp). Arm ARM D17 for the fields.
#pragma once

#define HCR_EL2_BOOT 0x30080000000  // RW: EL1 is AArch64; API, APK: it may sign pointers
#define SCTLR_EL2_OFF 0x30c50830    // RES1 bits, MMU and caches off
#define CPTR_EL2_NO_TRAPS 0x33ff    // RES1 bits; SVE stays trapped
#define SCTLR_EL1_OFF 0x30d00800    // RES1 bits, MMU and caches off
#define SCTLR_EL1_ON 0x30d01805     // + M, C, I
#define SPSR_EL1H_MASKED 0x3c5      // DAIF set, EL1h

// Attribute 0: Normal write-back; 1: Device-nGnRE.
#define MAIR_EL1_VALUE 0x04ff
#define MAIR_INDEX_NORMAL 0
#define MAIR_INDEX_DEVICE 1

// T0SZ 25, inner-shareable write-back walks, T1SZ 25, EPD1, 40-bit output addresses.
#define TCR_EL1_IDENTITY 0x280993519
// AF, (inner shareable,) block; devices are never executable.
#define IDENTITY_NORMAL_BLOCK 0x0040000000000701
#define IDENTITY_DEVICE_BLOCK 0x0060000000000405

#define BOOT_STACK_SIZE 0x4000
#define BOOT_STACK_SHIFT 14
#define VECTOR_STACK_OVERFLOW 16
#define PL011_BASE 0x09000000
#define PSCI_SYSTEM_OFF 0x84000008

#define HYP_HEADER_INIT_VECTORS 96

// Code for imports that nobody exports: how many, and the bytes of every stub (stubs.S).
#define STUB_COUNT 256
#define STUB_SIZE 8
