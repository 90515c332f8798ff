/* SPDX-License-Identifier: GPL-2.0-only */
/* Early life of EL2 (pkvm-abi.md 4.5): the vectors that serve the host until __kvm_hyp_init, that
 * call itself, the way back of a CPU that was off, and the change to the hypervisor's own tables. Everything here runs with the MMU off
 * or at VA == PA. HVC from EL1 may change x0..x3 only; the rest belongs to the host. */
#include "hyp/asm_offsets.h"

	.section .idmap.text, "ax", %progbits

/* The address of `symbol` wherever the code runs. */
.macro address_of reg, symbol
	adrp	\reg, \symbol
	add	\reg, \reg, :lo12:\symbol
.endm

/* x1: PA of HypInitParams, x3: hyp_boot_info.physvirt_offset. Switches the MMU on; SP is in place then.
 * Uses x0, x2. */
.macro enable_el2
	address_of x2, hyp_host_vectors
	sub	x2, x2, x3
	msr	vbar_el2, x2

	ldr	x0, [x1, #PARAMS_MAIR]
	msr	mair_el2, x0
	ldr	x0, [x1, #PARAMS_TCR]
	msr	tcr_el2, x0
	ldr	x0, [x1, #PARAMS_STACK]
	mov	sp, x0
	ldr	x0, [x1, #PARAMS_PGD]
	msr	ttbr0_el2, x0
	ldr	x0, [x1, #PARAMS_HCR]
	msr	hcr_el2, x0
	ldr	x0, [x1, #PARAMS_VTTBR]
	msr	vttbr_el2, x0
	ldr	x0, [x1, #PARAMS_VTCR]
	msr	vtcr_el2, x0
	isb
	tlbi	alle2
	dsb	sy
	mov	x0, #(SCTLR_EL2_ON & 0xffff)
	movk	x0, #(SCTLR_EL2_ON >> 16), lsl #16
	msr	sctlr_el2, x0
	isb
.endm

.macro dead_entry
	.balign	128
	b	.
.endm

	.balign	2048
	.globl	hyp_init_vectors
	.hidden	hyp_init_vectors
hyp_init_vectors:
	.rept	8			/* from EL2 */
	dead_entry
	.endr
	.balign	128			/* synchronous, AArch64 EL1 */
	b	init_sync
	.rept	7
	dead_entry
	.endr
	.balign	128

#define STUB_SET_VECTORS 0
#define STUB_SOFT_RESTART 1
#define STUB_RESET_VECTORS 2
#define STUB_CALLS 4
#define STUB_ERROR 0xbadca11

init_sync:
	cmp	x0, #STUB_CALLS
	b.lo	stub_call
	mov	x2, #0xC6000000		/* __kvm_hyp_init; bit 16 is the SVE hint (4.1) */
	bic	x3, x0, #0x10000
	cmp	x3, x2
	b.eq	kvm_hyp_init
	mov	x0, #-1
	eret

stub_call:
	cmp	x0, #STUB_SET_VECTORS
	b.eq	1f
	cmp	x0, #STUB_SOFT_RESTART
	b.eq	2f
	cmp	x0, #STUB_RESET_VECTORS
	b.eq	3f
	mov	x0, #(STUB_ERROR & 0xffff)
	movk	x0, #(STUB_ERROR >> 16), lsl #16
	eret
1:	msr	vbar_el2, x1
	mov	x0, #0
	eret
2:	mov	x16, x1			/* enter x1 at EL2 with x2..x4 as x0..x2 */
	mov	x0, x2
	mov	x1, x3
	mov	x2, x4
	br	x16
3:	address_of x0, hyp_init_vectors
	msr	vbar_el2, x0
	mov	x0, #0
	eret

/* x1: PA of HypInitParams. tpidr_el2 there is the CPU's offset into the per-CPU areas. */
kvm_hyp_init:
	address_of x2, hyp_per_cpu
	ldr	x3, [x1, #PARAMS_TPIDR]
	add	x2, x2, x3
	.irp	offset, 0, 16, 32, 48, 64
	ldp	x0, x3, [x1, #\offset]
	stp	x0, x3, [x2, #(PER_CPU_PARAMS + \offset)]
	.endr
	dc	civac, x2		/* written with caches off */
	add	x0, x2, #PER_CPU_PARAMS
	dc	civac, x0
	add	x0, x0, #64
	dc	civac, x0

	address_of x3, hyp_boot_info
	ldr	x3, [x3, #BOOT_INFO_PHYSVIRT]
	sub	x2, x2, x3		/* from PA to hyp VA */
	msr	tpidr_el2, x2
	enable_el2
	mov	x0, #0
	eret

/* Where EL3 enters when a CPU is back from a state in which it lost its registers (pkvm-abi.md 8.3).
 * x0: PA of the CPU's own HypInitParams. What the kernel's boot code set at EL2 is set again, the rest
 * comes from the parameters; then hyp_cpu_entry, at its own address. */
	.globl	hyp_cpu_resume
	.hidden	hyp_cpu_resume
	.type	hyp_cpu_resume, %function
hyp_cpu_resume:
	mov	x1, x0
	mov	x0, #3			/* EL1PCTEN, EL1PCEN */
	msr	cnthctl_el2, x0
	msr	cntvoff_el2, xzr
	mov	x0, #CPTR_EL2_NO_TRAPS
	msr	cptr_el2, x0
	msr	hstr_el2, xzr
	msr	mdcr_el2, xzr
	mrs	x0, midr_el1
	msr	vpidr_el2, x0
	mrs	x0, mpidr_el1
	msr	vmpidr_el2, x0
	address_of x3, hyp_boot_info
	ldr	x3, [x3, #BOOT_INFO_PHYSVIRT]
	sub	x2, x1, x3
	sub	x2, x2, #PER_CPU_PARAMS
	msr	tpidr_el2, x2
	enable_el2
	tlbi	alle1
	dsb	nsh
	isb
	address_of x0, hyp_cpu_entry
	sub	x0, x0, x3
	br	x0
	.size	hyp_cpu_resume, . - hyp_cpu_resume

/* void hyp_switch_tables(u64 root_pa, u64 stack_top, void (*next)(void)): called at its physical
 * address, does not return. Table changes of this size need the MMU off (Arm ARM D8.16). */
	.globl	hyp_switch_tables
	.hidden	hyp_switch_tables
	.type	hyp_switch_tables, %function
hyp_switch_tables:
	mrs	x3, sctlr_el2
	bic	x4, x3, #1
	msr	sctlr_el2, x4
	isb
	msr	ttbr0_el2, x0
	isb
	tlbi	alle2
	dsb	nsh
	isb
	msr	sctlr_el2, x3
	isb
	mov	sp, x1
	br	x2
	.size	hyp_switch_tables, . - hyp_switch_tables

/* The stack of __kvm_hyp_init and __pkvm_init: like the later ones a page above a guard page, so
 * that bit 12 of SP tells them apart. */
	.section .bss.init_stack, "aw", %nobits
	.balign	0x2000
	.skip	0x2000
	.globl	hyp_init_stack_top
	.hidden	hyp_init_stack_top
hyp_init_stack_top:
	.section .note.GNU-stack, "", %progbits
