/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the EL2 half. What returns int answers 0 or a negative error. */
#pragma once

#include <asm/kvm_pkvm_module.h>

#include "../memmanager.h"

extern const struct pkvm_module_ops *pkvm_ops;

/* Set by EL1 before the load. */
extern struct manager_table memmanager_table;

/* table.c: the table is taken from the host, looked at, or given back. */
int table_take(void);
void table_return(void);
struct manager_row *table_row(u64 index);
int rows_check(void);

/* access.c: what the host may do with the pages of a row; content that it shall not see. */
int access_set(const struct manager_row *row, u64 owner);
void content_clear(const struct manager_row *row);

/* regions.c: all rows or none; one row. */
int rows_protect(void);
void rows_release(void);
int row_assign(u64 index, u64 owner);
bool rows_have(u64 address);

/* fault.c: the handler of permission faults, and what it saw. */
struct manager_faults {
	u64 count;
	u64 address;
};
extern struct manager_faults manager_faults;
int manager_fault(handler_regs *regs, u64 esr, u64 address);
