/* SPDX-License-Identifier: GPL-2.0-only */
/* Entry of guest images (pkvm/guest.h): MMU off, EL1, x0 from whoever starts us. The entry vCPU runs
 * guest_main(x0); a vCPU that PSCI CPU_ON starts enters at guest_secondary with x0 as its caller
 * gave it. Exceptions go to guest_exception(ESR, FAR, ELR), which may return. */

	.section .header, "ax", %progbits
	.globl	guest_image_begin
guest_image_begin:
	b	start
	.word	1			/* image_version */
	.quad	GUEST_MAGIC
	.quad	guest_image_size
	.quad	0			/* checksum, set when the image is made */

	.text
start:
	adrp	x1, stack_top
	add	x1, x1, :lo12:stack_top
	mov	sp, x1
	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el1, x1
	isb
	bl	guest_main
	b	guest_power_off

	.globl	guest_secondary
guest_secondary:
	adrp	x1, secondary_stack_top
	add	x1, x1, :lo12:secondary_stack_top
	mov	sp, x1
	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el1, x1
	isb
	bl	guest_secondary_main
	b	guest_cpu_off

	.balign	2048
vectors:
	.rept	16
	.balign	128
	b	exception
	.endr

exception:
	sub	sp, sp, #192
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x29, [sp, #144]
	str	x30, [sp, #160]
	mrs	x0, esr_el1
	mrs	x1, far_el1
	mrs	x2, elr_el1
	bl	guest_exception
	msr	elr_el1, x0		/* where to go on */
	ldr	x30, [sp, #160]
	ldp	x18, x29, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp]
	add	sp, sp, #192
	eret

	.section .stack, "aw", %nobits
	.balign	16
	.skip	4096
stack_top:
	.skip	4096
secondary_stack_top:
	.section .note.GNU-stack, "", %progbits
