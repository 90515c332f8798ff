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
body:
    .quad   0                       // offset 72: 0 arithmetic, 1 loads and stores, 2 short blocks

start:
    ldr     x9, rounds
    ldr     x10, body
    mov     x11, #0x44000000        // well away from the code
    mov     x1, #1
    mov     x2, #3
    cmp     x10, #1
    b.eq    memory
    b.hi    short

arithmetic:                         // one block of 64 instructions
    .rept   15
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

memory:                             // one block of 64 instructions, 28 of them memory accesses
    .rept   4
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
    ldr     w7, [x11, #64]
    add     x1, x1, x2
    eor     x2, x2, x1, ror #7
    mul     x7, x1, x2
    .endr
    .rept   3
    orr     x8, x7, x3
    add     x8, x8, x1
    .endr
    subs    x9, x9, #1
    b.ne    memory
    b       off

short:                              // 16 blocks of 4 instructions, the shape of branchy code
    .rept   15
    add     x1, x1, x2
    eor     x2, x2, x1, ror #7
    add     x3, x1, x2
    cbz     x9, off
    .endr
    add     x1, x1, x2
    nop
    subs    x9, x9, #1
    b.ne    short

off:
    mov     w0, #0x0008             // PSCI SYSTEM_OFF
    movk    w0, #0x8400, lsl #16
    smc     #0
