// SPDX-License-Identifier: GPL-2.0-only
// The access of touch.cpp, and the way back when it raises an exception: like setjmp and longjmp.

#include "host/asm_macros.inc"

  .text

// u64 touch_call(Context *x0, u64 va x1, u64 *value x2, const void *code x3): 0, and *value as the
// code left it; 1 when touch_resume came.
  .global touch_call
  .type touch_call, %function
touch_call:
  save_callee_saved
  mov x19, x0
  mov x20, x2
  ldr x2, [x2]
  blr x3
  str x2, [x20]
  mov x1, xzr
  b restore
  .size touch_call, . - touch_call

// Entered by ERET with x0 = the context.
  .global touch_resume
  .type touch_resume, %function
touch_resume:
  mov x19, x0
  mov x1, #1
restore:
  mov x0, x19
  ldp x30, x9, [x0, #96]
  mov sp, x9
  ldp x28, x29, [x0, #80]
  ldp x26, x27, [x0, #64]
  ldp x24, x25, [x0, #48]
  ldp x22, x23, [x0, #32]
  ldp x20, x21, [x0, #16]
  ldp x18, x19, [x0]
  mov x0, x1
  ret
  .size touch_resume, . - touch_resume

// Each takes the VA in x1 and the value in x2, and leaves a value in x2.
  .macro access name, instruction:vararg
  .global \name
  .type \name, %function
\name:
  \instruction
  ret
  .size \name, . - \name
  .endm
  access touch_read_8, ldr x2, [x1]
  access touch_read_4, ldr w2, [x1]
  access touch_write_8, str x2, [x1]
  access touch_write_4, str w2, [x1]

// A call, so that a RET there comes back; x30 is kept by touch_call.
  .global touch_execute
  .type touch_execute, %function
touch_execute:
  stp x30, x2, [sp, #-16]!
  blr x1
  ldp x30, x2, [sp], #16
  ret
  .size touch_execute, . - touch_execute
  .section .note.GNU-stack, "", %progbits
