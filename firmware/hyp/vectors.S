/* SPDX-License-Identifier: GPL-2.0-only */
/* EL2's vectors while the host runs (pkvm-abi.md 8.1). The way of an HVC from EL1 to a module and
 * back is this file plus handle_trap: every instruction here is paid on each call. */
#include "hyp/asm_offsets.h"
#include "hyp/panic_entry.inc"

	.text

/* All panics from EL2 itself. The host's registers are in its context. */
.macro el2_vector
	.balign	128
	enter_panic PANIC_FROM_EL2
.endm

/* IRQ, FIQ and SError of the host: never routed here. Its registers were not saved. */
.macro invalid_host_vector
	.balign	128
	enter_panic PANIC_FROM_HOST
.endm

.macro host_sync_vector
	.balign	128
	stp	x0, x1, [sp, #-16]!
	b	host_trap
.endm

	.balign	2048
	.globl	hyp_host_vectors
	.hidden	hyp_host_vectors
hyp_host_vectors:
	.rept	8
	el2_vector
	.endr
	.rept	2			/* AArch64, then AArch32 */
	host_sync_vector
	.rept	3
	invalid_host_vector
	.endr
	.endr

/* x0 and x1 are on the stack. Saves x0..x30, calls handle_trap(context), restores them all. x19
 * keeps the context across the call, as AAPCS64 promises. */
	.balign	64
host_trap:
	mrs	x0, tpidr_el2
	stp	x2, x3, [x0, #16]
	ldp	x2, x3, [sp], #16
	stp	x4, x5, [x0, #32]
	stp	x6, x7, [x0, #48]
	stp	x8, x9, [x0, #64]
	stp	x10, x11, [x0, #80]
	stp	x12, x13, [x0, #96]
	stp	x14, x15, [x0, #112]
	stp	x16, x17, [x0, #128]
	stp	x18, x19, [x0, #144]
	stp	x20, x21, [x0, #160]
	stp	x22, x23, [x0, #176]
	stp	x24, x25, [x0, #192]
	stp	x26, x27, [x0, #208]
	stp	x28, x29, [x0, #224]
	str	x30, [x0, #240]
	stp	x2, x3, [x0]
	mov	x19, x0
	bl	hyp_handle_trap
	b	restore_host

/* void hyp_enter_host(user_pt_regs *context): leaves EL2 without returning to the caller. */
	.globl	hyp_enter_host
	.hidden	hyp_enter_host
	.type	hyp_enter_host, %function
hyp_enter_host:
	mov	x19, x0
restore_host:
	ldp	x0, x1, [x19]
	ldp	x2, x3, [x19, #16]
	ldp	x4, x5, [x19, #32]
	ldp	x6, x7, [x19, #48]
	ldp	x8, x9, [x19, #64]
	ldp	x10, x11, [x19, #80]
	ldp	x12, x13, [x19, #96]
	ldp	x14, x15, [x19, #112]
	ldp	x16, x17, [x19, #128]
	ldp	x20, x21, [x19, #160]
	ldp	x22, x23, [x19, #176]
	ldp	x24, x25, [x19, #192]
	ldp	x26, x27, [x19, #208]
	ldp	x28, x29, [x19, #224]
	ldr	x30, [x19, #240]
	ldp	x18, x19, [x19, #144]
	eret
	.size	hyp_enter_host, . - hyp_enter_host

/* From enter_panic (panic_entry.inc), x0: where from. Runs on the panic stack whatever SP was, so
 * that an overflow of the CPU's stack ends here too. x0 to x30 of who panicked are kept for the
 * report; hyp_panic returns what to enter EL1 with (panic.h, PanicExit). */
	.globl	hyp_panic_entry
	.hidden	hyp_panic_entry
hyp_panic_entry:
	adrp	x1, hyp_panic_registers
	add	x1, x1, :lo12:hyp_panic_registers
	stp	x2, x3, [x1, #16]
	stp	x4, x5, [x1, #32]
	stp	x6, x7, [x1, #48]
	stp	x8, x9, [x1, #64]
	stp	x10, x11, [x1, #80]
	stp	x12, x13, [x1, #96]
	stp	x14, x15, [x1, #112]
	stp	x16, x17, [x1, #128]
	stp	x18, x19, [x1, #144]
	stp	x20, x21, [x1, #160]
	stp	x22, x23, [x1, #176]
	stp	x24, x25, [x1, #192]
	stp	x26, x27, [x1, #208]
	stp	x28, x29, [x1, #224]
	str	x30, [x1, #240]
	mrs	x2, tpidr_el0
	mrs	x3, tpidrro_el0
	stp	x2, x3, [x1]
	mov	x1, sp
	adrp	x2, hyp_panic_stack_top
	add	x2, x2, :lo12:hyp_panic_stack_top
	mov	sp, x2
	bl	hyp_panic
	ldr	x1, [x0, #PANIC_EXIT_HANDLER]
	cbz	x1, .			/* no host kernel to tell */
	msr	elr_el2, x1
	mov	x1, #0x3c5		/* EL1h, DAIF set */
	msr	spsr_el2, x1
	ldr	x29, [x0, #PANIC_EXIT_HOST]
	cbz	x29, 1f
	ldp	x8, x9, [x29, #64]
	ldp	x10, x11, [x29, #80]
	ldp	x12, x13, [x29, #96]
	ldp	x14, x15, [x29, #112]
	ldp	x16, x17, [x29, #128]
	ldp	x18, x19, [x29, #144]
	ldp	x20, x21, [x29, #160]
	ldp	x22, x23, [x29, #176]
	ldp	x24, x25, [x29, #192]
	ldp	x26, x27, [x29, #208]
	ldr	x30, [x29, #240]
	ldp	x28, x29, [x29, #224]
1:	ldp	x2, x3, [x0, #16]
	ldp	x4, x5, [x0, #32]
	ldp	x6, x7, [x0, #48]
	ldp	x0, x1, [x0]
	eret

	.section .bss.panic_stack, "aw", %nobits
	.balign	16
	.skip	0x1000
hyp_panic_stack_top:
	.section .note.GNU-stack, "", %progbits
