// SPDX-License-Identifier: GPL-2.0-only
// Something in every section; the handler tells how a place of each is mapped at EL2, from the
// hypervisor's own page tables.
#include <asm/kvm_pkvm_module.h>
#include <linux/kernel.h>
#include <linux/version.h>

#include "../../handler.h"

static const struct pkvm_module_ops *pkvm_ops;
static u64 in_bss[4];
static const volatile u64 in_rodata[2] = { 0x726f, 0x6461 };
u64 descriptor_from_el1 = 1;
u64 *descriptor_pointer = &descriptor_from_el1;
static u64 *const volatile pointer_in_rodata = &descriptor_from_el1;
static u64 masks, level;

#if defined(WITH_EVENTS) && LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
/* One event's id and its flag. */
static struct {
	u16 id;
	void *flag;
} event_id __used __section(".hyp.event_ids") = { 0, &in_bss };
#else
static u64 event_id __used;
#endif
#if defined(WITH_EVENTS) && LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
static u64 patchable __used __section("__patchable_function_entries") = 1;
#else
static u64 patchable __used;
#endif

#define VALID 1UL
#define TABLE 2UL
#define OUTPUT 0x0000fffffffff000UL

/* The last descriptor on the way to `address`, and 0 where nothing is mapped. */
static u64 leaf(u64 address)
{
	u64 root, control, entry = 0;
	int shift, level;

	asm volatile("mrs %0, ttbr0_el2\n mrs %1, tcr_el2" : "=r"(root), "=r"(control));
	/* 4 KiB: 39 bits start at level 1, 48 bits at level 0. */
	level = (64 - (control & 0x3f)) > 39 ? 0 : 1;
	root &= OUTPUT;
	for (; level < 4; level++) {
		const u64 *table = pkvm_ops->hyp_va(root);

		shift = 39 - 9 * level;
		entry = table[(address >> shift) & 0x1ff];
		if (!(entry & VALID) || !(entry & TABLE))
			break;
		root = entry & OUTPUT;
	}
	return entry & VALID ? entry : 0;
}

void descriptor_hvc(handler_regs *regs)
{
	const u64 place[] = { (u64)&leaf,     (u64)&in_bss,	(u64)&in_rodata,
			      (u64)&descriptor_from_el1, (u64)&event_id, (u64)&patchable };
	const u64 which = cpu_reg(regs, 1);
	u64 entry;

	in_bss[0]++;
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	if (which >= PAGE_SIZE) {
		cpu_reg(regs, 1) = leaf(which);
		return;
	}
	if (which == ARRAY_SIZE(place)) {
		cpu_reg(regs, 1) = masks;
		cpu_reg(regs, 2) = level;
		cpu_reg(regs, 3) = (u64)pkvm_ops;
		return;
	}
	if (which > ARRAY_SIZE(place)) {
		cpu_reg(regs, 1) = descriptor_from_el1 + in_rodata[0];
		cpu_reg(regs, 2) = descriptor_pointer == &descriptor_from_el1;
		cpu_reg(regs, 3) = pointer_in_rodata == descriptor_pointer;
		return;
	}
	entry = leaf(place[which]);
	cpu_reg(regs, 1) = entry;
	cpu_reg(regs, 2) = place[which];
	/* Any page has its place in the linear map, a module's too. */
	cpu_reg(regs, 3) = entry ? leaf((u64)pkvm_ops->hyp_va(entry & OUTPUT)) : 0;
}

int descriptor_hyp_init(const struct pkvm_module_ops *ops)
{
	asm volatile("mrs %0, daif\n mrs %1, currentel" : "=r"(masks), "=r"(level));
	pkvm_ops = ops;
	return 0;
}
