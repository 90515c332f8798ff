// SPDX-License-Identifier: GPL-2.0-only
// Ways to end without power-off. Which one is the word at image_start + 0x80, which the test patches.
#include "machine/guests/image.inc"
  image
.balign 0x80
way: .long 0
entry:
  ldr   w0, way
  cmp   w0, #1
  b.eq  halt
  cmp   w0, #2
  b.eq  reset
  cmp   w0, #3
  b.eq  wedge
  b     .
halt:
  wfi
reset:
  mov   w0, #0x84000000
  add   w0, w0, #9
  smc   #0
wedge:
  mov   x0, #0x1000
  msr   vbar_el2, x0
  brk   #1
.balign 8
image_end:
