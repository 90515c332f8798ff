// SPDX-License-Identifier: GPL-2.0-only
// EL1 exception vectors: every entry saves an ExceptionFrame (exceptions.h) on the current stack
// and calls handle_exception(frame, entry number). Interrupts are never unmasked.

#include "host/asm_constants.h"

  .macro vector number  // saves x0, x1, then everything; uses x0, x1 as scratch
  .balign 128
  sub sp, sp, #288
  add sp, sp, x0                   // swap: x0 = SP, SP = SP + x0
  sub x0, sp, x0
  tbnz x0, #BOOT_STACK_SHIFT, stack_overflow
  sub x0, sp, x0                   // and back
  sub sp, sp, x0
  stp x0, x1, [sp]
  mov x1, #\number
  b save_and_handle
  .endm

  .text
  .balign 2048
  .global exception_vectors
exception_vectors:
  .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  vector \number
  .endr

  // The stack ran over into its guard: another one for the report. Only the interrupted x29 is lost.
stack_overflow:
  sub x0, sp, x0
  adrp x29, overflow_stack_end
  add x29, x29, :lo12:overflow_stack_end
  sub sp, x29, #288
  stp x0, x1, [sp]
  mov x29, xzr
  mov x1, #VECTOR_STACK_OVERFLOW
  b save_and_handle

  .balign 128
save_and_handle:
  stp x2, x3, [sp, #16]
  stp x4, x5, [sp, #32]
  stp x6, x7, [sp, #48]
  stp x8, x9, [sp, #64]
  stp x10, x11, [sp, #80]
  stp x12, x13, [sp, #96]
  stp x14, x15, [sp, #112]
  stp x16, x17, [sp, #128]
  stp x18, x19, [sp, #144]
  stp x20, x21, [sp, #160]
  stp x22, x23, [sp, #176]
  stp x24, x25, [sp, #192]
  stp x26, x27, [sp, #208]
  stp x28, x29, [sp, #224]
  mrs x2, elr_el1
  stp x30, x2, [sp, #240]
  mrs x2, spsr_el1
  mrs x3, esr_el1
  stp x2, x3, [sp, #256]
  mrs x2, far_el1
  add x3, sp, #288
  stp x2, x3, [sp, #272]
  mov x0, sp
  bl handle_exception
  ldp x2, x3, [sp, #248]           // ELR, SPSR as the handler left them
  msr elr_el1, x2
  msr spsr_el1, x3
  ldp x2, x3, [sp, #16]
  ldp x4, x5, [sp, #32]
  ldp x6, x7, [sp, #48]
  ldp x8, x9, [sp, #64]
  ldp x10, x11, [sp, #80]
  ldp x12, x13, [sp, #96]
  ldp x14, x15, [sp, #112]
  ldp x16, x17, [sp, #128]
  ldp x18, x19, [sp, #144]
  ldp x20, x21, [sp, #160]
  ldp x22, x23, [sp, #176]
  ldp x24, x25, [sp, #192]
  ldp x26, x27, [sp, #208]
  ldp x28, x29, [sp, #224]
  ldr x30, [sp, #240]
  ldp x0, x1, [sp]
  add sp, sp, #288
  eret
