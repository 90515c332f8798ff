// SPDX-License-Identifier: GPL-2.0-only
// Uses the event port: a call from EL1 to EL2 between call_begin and call_end, then counters and
// random numbers on the console, which must be the same in every run.
#include "machine/guests/image.inc"
.equ HYP_RING, 0x7e100000       // RAM end - 31 MiB, for 1 GiB
.equ HOST_RING, 0x7e200000
.equ PORT, 0x0b000000
.equ CALL_BEGIN, 38
.equ CALL_END, 39
.equ DONE, 44
.equ HYP_READY, 1

// Produces record number \number of kind \kind on the ring at \ring. Clobbers x0 to x2.
.macro produce ring, doorbell, number, kind
  movz  x0, #(\ring) >> 16, lsl #16
  mov   w1, #\kind
  str   w1, [x0, #(64 + 384 * \number)]
  mov   w1, #(\number + 1)
  dmb   sy
  str   w1, [x0, #16]
  mov   x2, #PORT
  mov   w1, #\doorbell
  str   w1, [x2]
.endm

  image
entry:
  produce HYP_RING, 1, 0, HYP_READY
  adr   x0, vectors
  msr   vbar_el2, x0
  mov   x0, #(1 << 31)
  msr   hcr_el2, x0
  mov   x0, #0x3c5
  msr   spsr_el2, x0
  adr   x0, el1
  msr   elr_el2, x0
  eret
el1:
  hvc   #0                      // not between begin and end
  produce HOST_RING, 2, 0, CALL_BEGIN
  hvc   #1
  produce HOST_RING, 2, 1, CALL_END
  hvc   #2
  produce HOST_RING, 2, 2, DONE
  isb
  mrs   x3, cntvct_el0
  bl    put_hex
  power_off
put_hex:                        // x3
  mov   x1, #0x09000000
  mov   x2, #60
1: lsr  x0, x3, x2
  and   x0, x0, #0xf
  add   x0, x0, #'a'
  str   w0, [x1]
  subs  x2, x2, #4
  b.ge  1b
  ret
.balign 2048
vectors:
  .skip 0x400
  mov   x10, #9                 // 1 + 9 * 2 + 1 instructions
1: subs x10, x10, #1
  b.ne  1b
  eret
.balign 2048
image_end:
