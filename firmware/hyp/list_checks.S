/* SPDX-License-Identifier: GPL-2.0-only */
/* bool hyp_list_add_valid(entry, prev, next), bool hyp_list_del_entry_valid(entry): ops_list.h's
 * checks for callers that keep values in nearly every register. Changes x0, x16, x17 and the flags:
 * pkvm-abi.md 1.6 leaves x9 to x15 to the callee, clang's preserve_most x1 to x8; a caller of either
 * kind is served. */

.macro keeping_registers name, check
	.section .text.\name, "ax", %progbits
	.globl	\name
	.hidden	\name
	.type	\name, %function
\name:
	stp	x29, x30, [sp, #-144]!
	stp	x1, x2, [sp, #16]
	stp	x3, x4, [sp, #32]
	stp	x5, x6, [sp, #48]
	stp	x7, x8, [sp, #64]
	stp	x9, x10, [sp, #80]
	stp	x11, x12, [sp, #96]
	stp	x13, x14, [sp, #112]
	str	x15, [sp, #128]
	bl	\check
	ldp	x1, x2, [sp, #16]
	ldp	x3, x4, [sp, #32]
	ldp	x5, x6, [sp, #48]
	ldp	x7, x8, [sp, #64]
	ldp	x9, x10, [sp, #80]
	ldp	x11, x12, [sp, #96]
	ldp	x13, x14, [sp, #112]
	ldr	x15, [sp, #128]
	ldp	x29, x30, [sp], #144
	ret
	.size	\name, . - \name
.endm

	keeping_registers hyp_list_add_valid, hyp_check_list_add
	keeping_registers hyp_list_del_entry_valid, hyp_check_list_del_entry
	.section .note.GNU-stack, "", %progbits
