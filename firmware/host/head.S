// SPDX-License-Identifier: GPL-2.0-only
// The arm64 Image header and the way from the boot loader to C++ at the kernel's own addresses:
// EL2 -> EL1h, MMU on with a static identity map, early_main() builds the kernel's tables,
// relocation, jump to the linked address. Entered with the MMU off, x0 = devicetree.
//
// From entry to the first C++ call: x19 devicetree PA, x20 image PA. All else is free.

#include "host/asm_constants.h"
#include "host/asm_macros.inc"

  .section .head.text, "ax"
  .global image_start
image_start:
  b entry
  .word 0
  .quad 0                          // text_offset
  .quad image_end - . + 16         // image_size: PC-relative, so no relocation
  .quad 0xa                        // little-endian, 4 KiB pages, anywhere in memory
  .quad 0, 0, 0
  .ascii "ARM\x64"
  .word 0

entry:
  mov x19, x0
  address_of x20, image_start
  mrs x0, CurrentEL
  cmp x0, #(2 << 2)
  b.ne entered_below_el2

  bl drop_to_el1
  load_constant x0, MAIR_EL1_VALUE
  msr mair_el1, x0
  load_constant x0, TCR_EL1_IDENTITY
  msr tcr_el1, x0
  address_of x0, identity_table
  msr ttbr0_el1, x0
  msr ttbr1_el1, x0
  mov x0, #(3 << 20)               // FPEN: modules' memory helpers may use FP registers
  msr cpacr_el1, x0
  tlbi vmalle1
  dsb nsh
  isb
  load_constant x0, SCTLR_EL1_ON
  msr sctlr_el1, x0
  isb

  address_of x0, bss_begin
  address_of x1, bss_end
1:
  stp xzr, xzr, [x0], #16
  cmp x0, x1
  b.lo 1b

  address_of x0, boot_stack_end
  mov sp, x0
  mov x29, xzr
  mov x0, x20
  mov x1, x20
  bl apply_relocations             // for running where we are
  mov x0, x19
  mov x1, x20
  bl early_main                    // x0: EarlyResult {kimage va, ttbr1, tcr}
  ldp x21, x22, [x0]
  ldr x23, [x0, #16]
  mov x0, x20
  mov x1, x21
  bl apply_relocations             // for running where we go; C++ waits until we are there

  msr ttbr1_el1, x22
  msr tcr_el1, x23
  isb
  tlbi vmalle1
  dsb nsh
  isb
  address_of x0, at_kernel_va
  sub x0, x0, x20
  add x0, x0, x21
  br x0

at_kernel_va:
  address_of x0, exception_vectors
  msr vbar_el1, x0
  address_of x0, boot_stack_end
  mov sp, x0
  address_of x0, task_struct
  msr sp_el0, x0
  address_of x18, shadow_stack
  isb
  mov x29, xzr
  mov x30, xzr
  bl host_main
1:
  wfi
  b 1b

// From EL2 to its caller at EL1. EL2 is as the kernel leaves it until KVM takes over: EL1 is AArch64,
// nothing is trapped. Uses x0, x1.
  .global drop_to_el1
  .hidden drop_to_el1
drop_to_el1:
  load_constant x0, HCR_EL2_BOOT
  msr hcr_el2, x0
  load_constant x0, SCTLR_EL2_OFF
  msr sctlr_el2, x0
  mov x0, #3                       // EL1PCTEN, EL1PCEN: counters and timers belong to EL1
  msr cnthctl_el2, x0
  msr cntvoff_el2, xzr
  mov x0, #CPTR_EL2_NO_TRAPS
  msr cptr_el2, x0
  msr hstr_el2, xzr
  msr vttbr_el2, xzr
  mrs x0, midr_el1
  msr vpidr_el2, x0
  mrs x0, mpidr_el1
  msr vmpidr_el2, x0
  address_of x0, hyp_image_begin
  ldr x1, [x0, #HYP_HEADER_INIT_VECTORS]
  add x0, x0, x1
  msr vbar_el2, x0
  load_constant x0, SCTLR_EL1_OFF
  msr sctlr_el1, x0
  mov x0, #SPSR_EL1H_MASKED
  msr spsr_el2, x0
  msr elr_el2, x30
  isb
  eret

// Entered at EL1: there is no EL2 to run a hypervisor in. Says so and powers off; with no EL2 the
// PSCI conduit is HVC. Nothing is set up, so one character at a time, straight to the PL011.
entered_below_el2:
  adr x1, below_el2_text
  mov x2, #PL011_BASE
1:
  ldrb w0, [x1], #1
  cbz w0, 2f
  str w0, [x2]
  b 1b
2:
  load_constant x0, PSCI_SYSTEM_OFF
  hvc #0
  wfi
  b 2b
below_el2_text:
  .asciz "pkvm-emu firmware: entered at EL1, needs EL2 (QEMU: -M virt,virtualization=on)\n"
  .balign 4

  .section .hyp_image, "aw"
  .balign 4096
  .incbin HYP_IMAGE_FILE

  // VA == PA for the first 2 GiB: devices, then RAM, each one block of level 1 (39-bit VAs).
  .section .data.page_aligned, "aw"
  .balign 4096
  .global identity_table
  .hidden identity_table
identity_table:
  .quad 0x00000000 + IDENTITY_DEVICE_BLOCK
  .quad 0x40000000 + IDENTITY_NORMAL_BLOCK
  .fill 510, 8, 0

  .bss
  // The world that kernel code expects (docs/design.md, 5): a task, a shadow call stack, addresses of
  // per-CPU data; and its stack, aligned to twice its size so that vectors.S sees an overflow in one
  // bit. Shadow call stacks grow upwards.
  .balign 2 * BOOT_STACK_SIZE
  .global task_struct
task_struct:
  .space 0x2000
  .space 0x1000
  .global overflow_stack_end
overflow_stack_end:
  .global shadow_stack
shadow_stack:
  .space 0x1000
  // Not mapped from here to the stack. Per-CPU variables have their addresses here, and memory only
  // behind the CPU's offset (task.cpp).
  .global per_cpu_addresses
per_cpu_addresses:
  .global per_cpu_cpu_number
per_cpu_cpu_number:
  .space 0x3000
  .global boot_stack_guard
boot_stack_guard:
  .space 0x1000
  .global boot_stack_begin
boot_stack_begin:
  .space BOOT_STACK_SIZE
  .global boot_stack_end
boot_stack_end:
