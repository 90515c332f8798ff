/* SPDX-License-Identifier: GPL-2.0-only */
/* Host hypercall numbers in SMCCC form (pkvm-abi.md 4.1). */
#pragma once

#include <linux/arm-smccc.h>

#define KVM_HOST_SMCCC_ID(number)                                       \
	ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL, ARM_SMCCC_SMC_64,       \
			   ARM_SMCCC_OWNER_VENDOR_HYP, (number))
