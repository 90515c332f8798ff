/* SPDX-License-Identifier: GPL-2.0-only */
/* The common part of the stubs that report ops (ops_log.h). A stub comes with x16 = row and x17 = the
 * op, everything else as the module left it. The op gets its arguments unchanged; but for x0 the
 * module gets back every register that the op would have kept, and x1 to x15 as they were. */
	.section .text.hyp_logged_op, "ax", %progbits
	.globl	hyp_logged_op
	.hidden	hyp_logged_op
	.type	hyp_logged_op, %function
hyp_logged_op:
	stp	x29, x30, [sp, #-160]!
	mov	x29, sp
	stp	x0, x1, [sp, #16]
	stp	x2, x3, [sp, #32]
	stp	x4, x5, [sp, #48]
	stp	x6, x7, [sp, #64]
	stp	x8, x9, [sp, #80]
	stp	x10, x11, [sp, #96]
	stp	x12, x13, [sp, #112]
	stp	x14, x15, [sp, #128]
	stp	x16, x17, [sp, #144]
	mov	x2, x30
	add	x1, sp, #16
	mov	x0, x16
	bl	hyp_op_begin
	ldp	x0, x1, [sp, #16]
	ldp	x2, x3, [sp, #32]
	ldp	x4, x5, [sp, #48]
	ldp	x6, x7, [sp, #64]
	ldr	x17, [sp, #152]
	blr	x17
	str	x0, [sp, #16]
	mov	x1, x0
	ldr	x0, [sp, #144]
	bl	hyp_op_end
	ldp	x0, x1, [sp, #16]
	ldp	x2, x3, [sp, #32]
	ldp	x4, x5, [sp, #48]
	ldp	x6, x7, [sp, #64]
	ldp	x8, x9, [sp, #80]
	ldp	x10, x11, [sp, #96]
	ldp	x12, x13, [sp, #112]
	ldp	x14, x15, [sp, #128]
	ldp	x29, x30, [sp], #160
	ret
	.size	hyp_logged_op, . - hyp_logged_op
	.section .note.GNU-stack, "", %progbits
