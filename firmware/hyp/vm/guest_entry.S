/* SPDX-License-Identifier: GPL-2.0-only */
/* Into a guest and out of it again. EL2's vectors while a guest runs are here: every exit returns
 * from hyp_enter_guest, with the guest's x0..x30 saved. ELR_EL2 and SPSR_EL2 are the callers'. */
#include "hyp/asm_offsets.h"
#include "hyp/panic_entry.inc"

	.text

/* enum GuestExit (pkvm/vm.h) */
#define EXIT_IRQ 0
#define EXIT_SERROR 1
#define EXIT_TRAP 2

.macro el2_vector
	.balign	128
	enter_panic PANIC_FROM_EL2
.endm

.macro guest_vector code
	.balign	128
	stp	x0, x1, [sp, #-16]!
	mov	x1, #\code
	b	leave_guest
.endm

	.balign	2048
	.globl	hyp_guest_vectors
	.hidden	hyp_guest_vectors
hyp_guest_vectors:
	.rept	8
	el2_vector
	.endr
	.rept	2			/* AArch64, then AArch32 */
	guest_vector EXIT_TRAP
	guest_vector EXIT_IRQ
	guest_vector EXIT_IRQ		/* FIQ */
	guest_vector EXIT_SERROR
	.endr

/* u64 hyp_enter_guest(user_pt_regs *guest): GuestExit */
	.balign	64
	.globl	hyp_enter_guest
	.hidden	hyp_enter_guest
	.type	hyp_enter_guest, %function
hyp_enter_guest:
	stp	x29, x30, [sp, #-112]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	stp	x18, x0, [sp, #96]
	mov	x29, x0
	ldp	x0, x1, [x29]
	ldp	x2, x3, [x29, #16]
	ldp	x4, x5, [x29, #32]
	ldp	x6, x7, [x29, #48]
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
	eret

/* x1: the exit code; the guest's x0 and x1 are on the stack, its context above them. */
leave_guest:
	ldr	x0, [sp, #(16 + 104)]
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
	mov	x0, x1
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldr	x18, [sp, #96]
	ldp	x29, x30, [sp], #112
	ret
	.size	hyp_enter_guest, . - hyp_enter_guest
	.section .note.GNU-stack, "", %progbits
