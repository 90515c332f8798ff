// SPDX-License-Identifier: GPL-2.0-only
// Boots at EL2, drops to EL1 by ERET, speaks at both, powers off by PSCI.
#include "machine/guests/image.inc"
  image
entry:
  mov   x20, x0
  print at_el2
  mrs   x0, CurrentEL
  cmp   x0, #8
  b.ne  wrong
  cbz   x20, wrong
  mov   x0, #(1 << 31)          // HCR_EL2.RW
  msr   hcr_el2, x0
  mov   x0, #0x3c5              // EL1h, masked
  msr   spsr_el2, x0
  adr   x0, el1
  msr   elr_el2, x0
  eret
el1:
  mrs   x0, CurrentEL
  cmp   x0, #4
  b.ne  wrong
  print at_el1
  power_off
wrong:
  print bad
  b     .
  print_routine
at_el2: .asciz "hello from EL2\n"
at_el1: .asciz "hello from EL1\n"
bad: .asciz "wrong\n"
.balign 8
image_end:
