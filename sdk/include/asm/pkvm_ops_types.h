/* SPDX-License-Identifier: GPL-2.0-only */
/* What the prototypes of <asm/pkvm_module_ops.h> name (pkvm-abi.md 1.1). */
#pragma once

#include <asm/pkvm_el2_module.h>

typedef unsigned int pkvm_handle_t;

enum pkvm_psci_notification {
	PKVM_PSCI_CPU_SUSPEND,
	PKVM_PSCI_SYSTEM_SUSPEND,
	PKVM_PSCI_CPU_ENTRY,
};
