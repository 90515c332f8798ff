// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: puts the table where the EL2 half finds it. On a phone a trusted OS writes it, here it
// is a parameter.
#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "memmanager.h"

#define NUMBERS_PER_ROW 3
#define PARAMETER_ROWS 16

static unsigned long long rows[PARAMETER_ROWS * NUMBERS_PER_ROW];
static unsigned int row_numbers;
module_param_array(rows, ullong, &row_numbers, 0444);
MODULE_PARM_DESC(rows, "BASE,SIZE,OWNER of each row; 0: the host, 1: it may read, 2: secure");

static unsigned long long table;
module_param(table, ullong, 0444);
MODULE_PARM_DESC(table, "Physical address of a table that is there already");

static unsigned long long count;
module_param(count, ullong, 0444);
MODULE_PARM_DESC(count, "Its rows");

static unsigned long long memory_size = SZ_1G;
module_param(memory_size, ullong, 0444);
MODULE_PARM_DESC(memory_size, "Bytes of RAM, from its start");

int kvm_nvhe_sym(memmanager_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(memmanager_assign_hvc)(handler_regs *regs);
void kvm_nvhe_sym(memmanager_unassign_hvc)(handler_regs *regs);
void kvm_nvhe_sym(memmanager_report_hvc)(handler_regs *regs);
extern struct manager_table kvm_nvhe_sym(memmanager_table);

static struct manager_row *own_table;

/* One page has room for all that a parameter holds. */
static int write_table(void)
{
	unsigned int i;

	if (row_numbers % NUMBERS_PER_ROW) {
		pr_err("memmanager: rows= takes three numbers for each\n");
		return -EINVAL;
	}
	own_table = (struct manager_row *)get_zeroed_page(GFP_KERNEL);
	if (!own_table)
		return -ENOMEM;
	count = row_numbers / NUMBERS_PER_ROW;
	for (i = 0; i < count; i++) {
		own_table[i].base = rows[i * NUMBERS_PER_ROW];
		own_table[i].size = rows[i * NUMBERS_PER_ROW + 1];
		own_table[i].owner = rows[i * NUMBERS_PER_ROW + 2];
	}
	table = virt_to_phys(own_table);
	return 0;
}

static int load(unsigned long *token)
{
	struct manager_table *told = &kvm_nvhe_sym(memmanager_table);

	told->memory_base = PHYS_OFFSET;
	told->memory_size = memory_size;
	told->address = table;
	told->rows = count;
	return pkvm_load_el2_module(kvm_nvhe_sym(memmanager_hyp_init), token);
}

static int __init memmanager_init(void)
{
	const dyn_hcall_t functions[] = {
		kvm_nvhe_sym(memmanager_assign_hvc),
		kvm_nvhe_sym(memmanager_unassign_hvc),
		kvm_nvhe_sym(memmanager_report_hvc),
	};
	unsigned long token;
	unsigned int i;
	int ret = table ? 0 : write_table();

	if (ret)
		return ret;
	ret = load(&token);
	if (ret) {
		/* It is the host's again, as EL2's init has undone everything. */
		free_page((unsigned long)own_table);
		return ret;
	}
	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		ret = pkvm_register_el2_mod_call(functions[i], token);
		if (ret < 0)
			return ret;
	}
	pr_info("memmanager: %llu rows, last hypercall %d\n", count, ret);
	return 0;
}
module_init(memmanager_init);

MODULE_AUTHOR("The pkvm-emu authors");
MODULE_DESCRIPTION("Manages secure memory by a table");
MODULE_LICENSE("GPL");
