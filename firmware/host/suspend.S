// SPDX-License-Identifier: GPL-2.0-only
// What a CPU has to remember over a state in which it loses its registers, and the way back into the
// kernel. Like setjmp and longjmp, with the MMU off between them.

#include "host/asm_constants.h"
#include "host/asm_macros.inc"

  .text

// u64 cpu_save(Context *x0): 0. Clobbers x9, x10.
  .global cpu_save
  .type cpu_save, %function
cpu_save:
  save_callee_saved
  mrs x9, ttbr0_el1
  mrs x10, ttbr1_el1
  stp x9, x10, [x0, #112]
  mrs x9, tcr_el1
  mrs x10, sctlr_el1
  stp x9, x10, [x0, #128]
  mrs x9, vbar_el1
  mrs x10, cpacr_el1
  stp x9, x10, [x0, #144]
  mrs x9, sp_el0
  mrs x10, tpidr_el1
  stp x9, x10, [x0, #160]
  mrs x9, mair_el1
  mrs x10, contextidr_el1
  stp x9, x10, [x0, #176]
  mov x0, xzr
  ret
  .size cpu_save, . - cpu_save

// Entered with the MMU off, x0 = PA of the context: at EL1h, or at EL2 when no hypervisor of ours holds
// it. Through the identity map that boot used, back to where cpu_save was called, which now returns 1.
  .global cpu_resume
  .type cpu_resume, %function
cpu_resume:
  mov x20, x0
  mrs x9, CurrentEL
  cmp x9, #(2 << 2)
  b.ne 1f
  bl drop_to_el1
1:
  ldp x9, x10, [x20, #176]
  msr mair_el1, x9
  msr contextidr_el1, x10
  load_constant x9, TCR_EL1_IDENTITY
  msr tcr_el1, x9
  address_of x9, identity_table
  msr ttbr0_el1, x9
  msr ttbr1_el1, x9
  tlbi vmalle1
  dsb nsh
  isb
  ldp x21, x22, [x20, #128]        // TCR, SCTLR
  msr sctlr_el1, x22
  isb
  ldp x9, x10, [x20, #144]
  msr vbar_el1, x9
  msr cpacr_el1, x10
  ldp x9, x10, [x20, #160]
  msr sp_el0, x9
  msr tpidr_el1, x10
  ldp x23, x24, [x20, #112]        // TTBR0, TTBR1
  ldp x30, x9, [x20, #96]
  mov sp, x9
  ldp x28, x29, [x20, #80]
  ldp x26, x27, [x20, #64]
  msr ttbr1_el1, x24
  msr ttbr0_el1, x23
  msr tcr_el1, x21
  isb
  tlbi vmalle1
  dsb nsh
  isb
  ldp x24, x25, [x20, #48]
  ldp x22, x23, [x20, #32]
  ldp x18, x19, [x20]
  ldp x20, x21, [x20, #16]
  mov x0, #1
  ret
  .size cpu_resume, . - cpu_resume
  .section .note.GNU-stack, "", %progbits
