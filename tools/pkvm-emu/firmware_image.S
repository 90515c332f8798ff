// SPDX-License-Identifier: GPL-2.0-only
// PKVMEMU_FIRMWARE is the path of the Image, the others are those of its symbols; the build adds the
// dependency on them.
    .section .rodata.firmware, "a"
    .balign 4096
    .globl pkvmemu_firmware_begin
pkvmemu_firmware_begin:
    .incbin PKVMEMU_FIRMWARE
    .globl pkvmemu_firmware_end
pkvmemu_firmware_end:
    .globl pkvmemu_host_names_begin
pkvmemu_host_names_begin:
    .incbin PKVMEMU_HOST_NAMES
    .globl pkvmemu_host_names_end
pkvmemu_host_names_end:
    .globl pkvmemu_hyp_names_begin
pkvmemu_hyp_names_begin:
    .incbin PKVMEMU_HYP_NAMES
    .globl pkvmemu_hyp_names_end
pkvmemu_hyp_names_end:
    .section .note.GNU-stack, "", %progbits
