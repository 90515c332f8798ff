/* SPDX-License-Identifier: GPL-2.0-only */
/* The images of guest programs, found by the include path. */
	.section .rodata.payloads, "a", %progbits

.macro payload name
	.balign	8
	.globl	payload_\name\()_begin
	.hidden	payload_\name\()_begin
	.globl	payload_\name\()_end
	.hidden	payload_\name\()_end
payload_\name\()_begin:
	.incbin	"payload-\name\().bin"
payload_\name\()_end:
.endm

	payload	hello
	payload	answers
	payload	calls
	payload	compute
	payload	exits
	payload	ffa
	payload	registers
	payload	secret
	payload	share
	payload	trespass
	payload	smp
	payload	traps
	.section .note.GNU-stack, "", %progbits
