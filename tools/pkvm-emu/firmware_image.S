// SPDX-License-Identifier: GPL-2.0-only
// PKVMEMU_FIRMWARE is the path of the Image; the build adds the dependency on it.
    .section .rodata.firmware, "a"
    .balign 4096
    .globl pkvmemu_firmware_begin
pkvmemu_firmware_begin:
    .incbin PKVMEMU_FIRMWARE
    .globl pkvmemu_firmware_end
pkvmemu_firmware_end:
    .section .note.GNU-stack, "", %progbits
