// SPDX-License-Identifier: GPL-2.0-only
// PKVMEMU_PVMFW is the path of the firmware of protected VMs; the build adds the dependency on it.
    .section .rodata.pvmfw, "a"
    .balign 4096
    .globl pkvmemu_pvmfw_begin
pkvmemu_pvmfw_begin:
    .incbin PKVMEMU_PVMFW
    .globl pkvmemu_pvmfw_end
pkvmemu_pvmfw_end:
    .section .note.GNU-stack, "", %progbits
