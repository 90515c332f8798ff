/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers that EL2's own code never touches, in the order of struct WorldRegisters
 * (lib/arch.h): vectors, keys of pointer authentication (Arm ARM D17.2, AP*Key*_EL1), timers. */
	.arch	armv8.3-a
	.text

.macro vectors op
	\op	{ v0.2d,  v1.2d,  v2.2d,  v3.2d },  [x1], #64
	\op	{ v4.2d,  v5.2d,  v6.2d,  v7.2d },  [x1], #64
	\op	{ v8.2d,  v9.2d,  v10.2d, v11.2d }, [x1], #64
	\op	{ v12.2d, v13.2d, v14.2d, v15.2d }, [x1], #64
	\op	{ v16.2d, v17.2d, v18.2d, v19.2d }, [x1], #64
	\op	{ v20.2d, v21.2d, v22.2d, v23.2d }, [x1], #64
	\op	{ v24.2d, v25.2d, v26.2d, v27.2d }, [x1], #64
	\op	{ v28.2d, v29.2d, v30.2d, v31.2d }, [x1], #64
.endm

.macro save_pair first, second, at
	mrs	x2, \first
	mrs	x3, \second
	stp	x2, x3, [x0, #\at]
.endm

.macro restore_pair first, second, at
	ldp	x2, x3, [x0, #\at]
	msr	\first, x2
	msr	\second, x3
.endm

/* x0: behind the vectors, since stp reaches no further than 504 bytes. */
.macro pairs op
	\op	fpcr, fpsr, 0
	\op	apiakeylo_el1, apiakeyhi_el1, 16
	\op	apibkeylo_el1, apibkeyhi_el1, 32
	\op	apdakeylo_el1, apdakeyhi_el1, 48
	\op	apdbkeylo_el1, apdbkeyhi_el1, 64
	\op	apgakeylo_el1, apgakeyhi_el1, 80
	\op	cntv_ctl_el0, cntv_cval_el0, 96
	\op	cntp_ctl_el0, cntp_cval_el0, 112
.endm

/* void hyp_save_world(struct WorldRegisters *) */
	.globl	hyp_save_world
	.hidden	hyp_save_world
	.type	hyp_save_world, %function
hyp_save_world:
	mov	x1, x0
	vectors	st1
	add	x0, x0, #512
	pairs save_pair
	ret
	.size	hyp_save_world, . - hyp_save_world

/* void hyp_restore_world(const struct WorldRegisters *) */
	.globl	hyp_restore_world
	.hidden	hyp_restore_world
	.type	hyp_restore_world, %function
hyp_restore_world:
	mov	x1, x0
	vectors	ld1
	add	x0, x0, #512
	pairs restore_pair
	ret
	.size	hyp_restore_world, . - hyp_restore_world
	.section .note.GNU-stack, "", %progbits
