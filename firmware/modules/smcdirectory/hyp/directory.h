/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the EL2 half. */
#pragma once

#include <asm/kvm_pkvm_module.h>

#include "../smcdirectory.h"

/* table.c: 0 or a negative error; the hypercall or -ENOENT. */
int table_add(u64 key, u64 hypercall);
int table_find(u64 key);
