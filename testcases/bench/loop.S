// SPDX-License-Identifier: GPL-2.0-only
// A flat arm64 Image that runs straight code for a given number of rounds and powers off. The bench
// patches the two parameters; the last instruction is the SMC, where the bare engine is stopped.
    .text
    b       start
    .word   0
    .quad   0                       // text_offset
    .quad   0x10000                 // image_size
    .quad   0xa                     // little-endian, 4 KiB pages, anywhere in RAM
    .quad   0, 0, 0
    .word   0x644d5241              // "ARM\x64"
    .word   0
rounds:
    .quad   0                       // offset 64: how often the body runs
use_memory:
    .quad   0                       // offset 72: 0 arithmetic only, 1 with loads and stores

start:
    ldr     x9, rounds
    ldr     x10, use_memory
    mov     x11, #0x44000000        // well away from the code
    mov     x1, #1
    mov     x2, #3
    cbnz    x10, memory

arithmetic:                         // 16 instructions a round
    .rept   3
    add     x1, x1, x2
    eor     x2, x2, x1, ror #7
    mul     x3, x1, x2
    sub     x4, x3, x1, lsl #2
    .endr
    orr     x5, x4, x3
    and     x6, x5, x2
    subs    x9, x9, #1
    b.ne    arithmetic
    b       off

memory:                             // 16 instructions a round, 6 of them memory accesses
    ldr     x3, [x11]
    add     x3, x3, x1
    str     x3, [x11]
    ldp     x4, x5, [x11, #16]
    eor     x4, x4, x3
    add     x5, x5, x4
    stp     x4, x5, [x11, #16]
    ldrb    w6, [x11, #40]
    add     w6, w6, #1
    strb    w6, [x11, #40]
    add     x1, x1, x2
    eor     x2, x2, x1, ror #7
    mul     x7, x1, x2
    orr     x8, x7, x3
    subs    x9, x9, #1
    b.ne    memory

off:
    mov     w0, #0x0008             // PSCI SYSTEM_OFF
    movk    w0, #0x8400, lsl #16
    smc     #0
