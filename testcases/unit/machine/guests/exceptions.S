// SPDX-License-Identifier: GPL-2.0-only
// Provokes every kind of exception that this board knows, at EL2, EL1 and EL0, without translation,
// with stage 1, with stage 2 and with both, and prints what the handler sees, one line for each.
// The test runs it on our machine and under QEMU and compares the lines.
//
// Registers: x0 to x15 belong to the cases. The handler keeps to x16 to x26 and x30. x27: name of
// the case, x28: where it goes on, x26: SPSR with which it goes on (0: as it was).
#include "machine/guests/image.inc"

.equ NOTHING, 0x0b000000        // unmapped on the board
.equ TABLES, 0x41000000         // one page each, see below
.equ EL1_L1, TABLES
.equ EL1_L2, TABLES + 0x1000
.equ EL1_L3, TABLES + 0x2000
.equ S2_L1, TABLES + 0x3000
.equ S2_L2, TABLES + 0x4000
.equ S2_L3, TABLES + 0x5000
.equ EL2_L1, TABLES + 0x6000
.equ SCRATCH, 0x41100000
.equ PAGES, 0x80000000          // VA and IPA of the pages in the L3 tables
.equ EL0_ALIAS, 0xc0000000      // VA = PA + this for EL0 (read-only, executable)

.equ NORMAL, 0x705              // AF, inner shareable, AttrIndx 1, block
.equ DEVICE, 0x401              // AF, AttrIndx 0, block
.equ S2_NORMAL, 0x7fd           // AF, SH, S2AP read and write, write-back, block
.equ S2_DEVICE, 0x4c5

.macro imm reg, value
  movz  \reg, #((\value) & 0xffff)
  movk  \reg, #((\value) >> 16 & 0xffff), lsl #16
  movk  \reg, #((\value) >> 32 & 0xffff), lsl #32
  movk  \reg, #((\value) >> 48 & 0xffff), lsl #48
.endm

.macro poke address, value      // clobbers x0, x1
  imm   x0, \address
  imm   x1, \value
  str   x1, [x0]
.endm

.macro sysreg name, value       // clobbers x0
  imm   x0, \value
  msr   \name, x0
  isb
.endm

.macro case name:req, text:vararg
  adr   x27, 8f
  b     7f
8: .asciz "\name"
  .balign 4
7: adr  x28, 9f
  \text
9:
.endm

// Goes to another exception level by an exception that its handler returns from with \spsr.
.macro move_to name, spsr, text:vararg
  mov   x26, #\spsr
  case  "\name", \text
.endm

  image
entry:
  adr   x0, el2_vectors
  msr   vbar_el2, x0
  adr   x0, el1_vectors
  msr   vbar_el1, x0
  msr   spsel, #1
  imm   x0, 0x22220
  mov   sp, x0
  sysreg sp_el1, 0x11110
  sysreg sp_el0, 0xee0
  sysreg far_el1, 0
  sysreg far_el2, 0
  sysreg hpfar_el2, 0
  sysreg esr_el1, 0
  mov   x26, #0
  imm   x10, SCRATCH
  imm   x11, NOTHING

  // EL2, no translation
  case "el2 brk", brk #0x801
  case "el2 undefined", .inst 0x00000000
  case "el2 svc", svc #0x77
  case "el2 hvc", hvc #0x99
  case "el2 load external", ldr x1, [x11, #8]
  case "el2 load byte external", ldrsb w3, [x11, #5]
  case "el2 store external", str w2, [x11]
  case "el2 load pair external", ldp x1, x2, [x11, #16]
  case "el2 fetch external", br x11
  case "el2 unaligned acquire", ldar x1, [x10]
  add   x12, x10, #1
  case "el2 unaligned exclusive", ldxr x1, [x12]
  case "el2 mrs without such register", .inst 0xd53bf7e0
  msr   spsel, #0
  case "el2t brk", brk #1
  msr   spsel, #1

  // PSCI and SMCCC
  imm   x0, 0x84000000
  bl    secure_call
  imm   x0, 0x80000000
  bl    secure_call
  imm   x0, 0x84000006
  bl    secure_call
  imm   x0, 0xc4000003
  mov   x1, #0
  bl    secure_call
  imm   x0, 0xc4000003
  mov   x1, #1
  bl    secure_call
  imm   x0, 0xc4000004
  mov   x1, #0
  mov   x2, #0
  bl    secure_call
  imm   x0, 0xc4000004
  mov   x1, #1
  bl    secure_call
  imm   x0, 0x8400000a
  imm   x1, 0x84000008
  bl    secure_call
  imm   x0, 0x8400000a
  imm   x1, 0x8400001f
  bl    secure_call
  imm   x0, 0xc2000000
  bl    secure_call

  // EL1 under the traps of HCR_EL2: RW, TSC, TWI, TWE, TVM, TID3
  sysreg hcr_el2, (1 << 31 | 1 << 19 | 1 << 13 | 1 << 14 | 1 << 26 | 1 << 18)
  sysreg cptr_el2, 0x33ff
  sysreg cpacr_el1, 0
  sysreg sctlr_el1, 0x30d00800
  move_to "to el1", 0x3c5, hvc #0
  case "el1 hvc", hvc #0x1234
  case "el1 svc", svc #0xabcd
  case "el1 smc trapped", smc #5
  case "el1 wfi trapped", wfi
  case "el1 wfe trapped", wfe
  case "el1 msr trapped", msr sctlr_el1, x9
  case "el1 msr trapped, another", msr ttbr1_el1, x21
  case "el1 mrs trapped", mrs x7, id_aa64pfr0_el1
  case "el1 brk", brk #0xffff
  case "el1 undefined", .inst 0x00000000
  case "el1 mrs of el2", mrs x0, sctlr_el2
  case "el1 fp", fmov d0, x0
  case "el1 hlt", hlt #1
  case "el1 load external", ldr x1, [x11]
  case "el1 store external", strh w1, [x11, #2]
  case "el1 fetch external", br x11
  case "el1 unaligned exclusive", ldaxr w1, [x12]
  cmp   x0, x0
  case "el1 hvc with flags", hvc #1
  msr   daifclr, #3
  case "el1 hvc with daif", hvc #1
  msr   daifset, #0xf
  msr   pan, #1
  case "el1 hvc with pan", hvc #1
  msr   pan, #0
  msr   spsel, #0
  case "el1t hvc", hvc #2
  case "el1t svc", svc #2
  msr   spsel, #1
  move_to "to el0", 0x3c0, svc #0
  case "el0 svc", svc #0x10
  case "el0 hvc undefined", hvc #0x11
  case "el0 smc undefined", smc #0x12
  case "el0 brk", brk #0x13
  case "el0 mrs undefined", mrs x0, sctlr_el1
  case "el0 load external", ldr x1, [x11]
  case "el0 wfi", wfi
  move_to "el0 back to el1", 0x3c5, svc #0

  // EL1, stage 1
  bl    make_tables
  move_to "to el2", 0x3c9, hvc #0
  sysreg mair_el1, 0xff00
  sysreg tcr_el1, (25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 2 << 32)
  sysreg ttbr0_el1, EL1_L1
  sysreg hcr_el2, (1 << 31)
  sysreg sctlr_el1, 0x30d00801
  move_to "to el1 stage 1", 0x3c5, hvc #0
  bl    el1_cases
  imm   x0, EL0_ALIAS
  adr   x1, el0_stage1
  add   x1, x0, x1
  mov   x26, #0x3c0
  adr   x27, name_el0_stage1
  mov   x28, x1
  svc   #0

el0_stage1:
  imm   x13, PAGES
  case "el0 load kernel page", ldr x1, [x13, #0x40]
  case "el0 load no page", ldr x1, [x13, #0x7f8]
  add   x14, x13, #0x4000
  case "el0 store user page read-only", str x1, [x14, #0x18]
  add   x14, x13, #0x5000
  imm   x15, 0x8000
  add   x15, x15, x13
  case "el0 load no leaf", ldr x1, [x15]
  case "el0 fetch kernel page", br x13
  adr   x28, el1_after_el0
  imm   x0, EL0_ALIAS
  sub   x28, x28, x0
  adr   x27, name_el0_back
  mov   x26, #0x3c5
  svc   #0
name_el0_stage1: .asciz "to el0 stage 1"
name_el0_back: .asciz "el0 back to el1 stage 1"
  .balign 4

el1_after_el0:
  sysreg sctlr_el1, 0x30500801       // SPAN clear: an exception to EL1 sets PAN
  case "el1 svc without span", svc #3
  sysreg sctlr_el1, 0x30d00801

  // EL1, stage 2 alone
  move_to "to el2 again", 0x3c9, hvc #0
  sysreg sctlr_el1, 0x30d00800
  sysreg vtcr_el2, (25 | 1 << 6 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16 | 1 << 31)
  sysreg vttbr_el2, S2_L1
  sysreg hcr_el2, (1 << 31 | 1)
  tlbi  alle1
  dsb   sy
  isb
  move_to "to el1 stage 2", 0x3c5, hvc #0
  bl    el1_cases

  // EL1, both stages
  move_to "to el2 for both", 0x3c9, hvc #0
  sysreg sctlr_el1, 0x30d00801
  tlbi  alle1
  dsb   sy
  isb
  move_to "to el1 both stages", 0x3c5, hvc #0
  imm   x13, 0x140000000
  case "both: table not in stage 2", ldr x1, [x13, #0x128]
  case "both: store, table not in stage 2", strb w1, [x13, #0x123]
  case "both: fetch, table not in stage 2", br x13
  imm   x13, 0x1c0000000
  case "both: table far from stage 2", ldr x1, [x13, #0x8]
  imm   x13, 0x180000000
  add   x14, x13, #0x2000
  case "both: output not in stage 2", ldr w5, [x13, x14, lsl #2]
  case "both: load", ldr w5, [x13, #0x44]
  case "both: post-index", ldr w5, [x13], #4
  case "both: fetch output not in stage 2", br x13
  case "both: store exclusive", stlr w5, [x13]

  // EL2, stage 1
  move_to "to el2 for its own", 0x3c9, hvc #0
  sysreg mair_el2, 0xff00
  sysreg tcr_el2, (25 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16 | 1 << 23 | 1 << 31)
  sysreg ttbr0_el2, EL2_L1
  tlbi  alle2
  dsb   sy
  sysreg sctlr_el2, 0x30c50831
  imm   x13, 0xdead000 + 0x80000000
  case "el2 store nowhere", str x9, [x13]
  case "el2 load nowhere", ldrsw x9, [x13, #4]
  case "el2 load writeback nowhere", ldr x9, [x13, #8]!
  case "el2 load pair nowhere", ldp x1, x2, [x13]
  case "el2 fetch nowhere", br x13
  imm   x13, 0xfffffff000000000
  case "el2 load outside", ldr x9, [x13]
  imm   x13, 0x100000000
  case "el2 store read-only", str x9, [x13]
  case "el2 fetch never", br x13
  imm   x13, 0x140000000
  case "el2 load no access flag", ldr x9, [x13, #0x10]

  adr   x17, text_done
  bl    puts
  power_off

// Loads, stores and fetches on the pages at PAGES, for whatever translation is in force at EL1.
// Clobbers x29.
el1_cases:
  mov   x29, x30
  imm   x13, PAGES
  case "load page", ldr x1, [x13, #0x40]
  add   x14, x13, #0x1000
  case "load read-only", ldr x1, [x14, #0x40]
  case "store read-only", str x1, [x14, #0x40]
  case "store byte read-only", strb w2, [x14, #0x41]
  case "store pair read-only", stp x1, x2, [x14, #0x40]
  case "store writeback read-only", str w3, [x14, #0x40]!
  case "store zero register read-only", str xzr, [x14, #0x40]
  case "store exclusive-release read-only", stlrh w4, [x14]
  case "store release read-only", stlr w5, [x14]
  case "atomic read-only", ldadd x1, x2, [x14]
  case "zero cache line read-only", dc zva, x14
  add   x14, x13, #0x2000
  case "load no access flag", ldr w8, [x14, #0x84]
  add   x14, x13, #0x3000
  case "fetch never", br x14
  imm   x15, 0x8000
  add   x14, x13, x15
  mov   x7, #3
  case "load none", ldr x1, [x14]
  case "load none ldrb", ldrb w6, [x14, #1]
  case "load none ldrsb", ldrsb x6, [x14, #1]
  case "load none ldrsb 32", ldrsb w6, [x14, #1]
  case "load none ldrh", ldrh w6, [x14, x7, lsl #1]
  case "load none ldrsh", ldrsh x6, [x14, x7]
  case "load none ldrsw", ldrsw x6, [x14, w7, sxtw #2]
  case "load none ldur", ldur w6, [x14, #-1]
  case "load none ldtr", ldtr w6, [x14, #3]
  case "load none ldar", ldar w6, [x14]
  case "load none ldxr", ldxr w6, [x14]
  case "load none ldp", ldp w6, w7, [x14, #8]
  case "load none post", ldr x6, [x14], #8
  case "load none pre", ldr x6, [x14, #8]!
  case "load none swp", swp x6, x7, [x14]
  case "load none cas", cas x6, x7, [x14]
  case "load none sp", ldr x30, [x14, #0x10]
  case "store none", str x9, [x14, #0x18]
  case "store none strb", sturb w9, [x14, #7]
  case "store none stp", stp x9, x10, [x14, #0x20]
  case "fetch none", br x14
  add   x14, x14, #0xffd
  case "load across into none", ldr x1, [x14]
  add   x14, x13, #0xffc
  case "load across into page", ldr x1, [x14]
  imm   x14, PAGES + 0x200000
  case "load no table", ldr x1, [x14, #0x88]
  imm   x14, 0x200000000
  case "load no level 1", ldr x1, [x14]
  imm   x14, 0x8000000000
  case "load outside", ldr x1, [x14]
  ret   x29

// Clobbers x0 to x2.
make_tables:
  imm   x0, TABLES
  mov   x1, #0x7000
1: stp  xzr, xzr, [x0], #16
  subs  x1, x1, #16
  b.ne  1b
  poke  EL1_L1 + 0 * 8, DEVICE
  poke  EL1_L1 + 1 * 8, 0x40000000 | NORMAL
  poke  EL1_L1 + 2 * 8, EL1_L2 + 3
  poke  EL1_L1 + 4 * 8, 0x40000000 | NORMAL | 3 << 6 | 1 << 53   // EL0_ALIAS
  poke  EL1_L1 + 5 * 8, 0x90000000 + 3                            // table outside stage 2
  poke  EL1_L1 + 6 * 8, 0x180000000 | NORMAL                      // output outside stage 2
  poke  EL1_L1 + 7 * 8, 0x280000000 + 3                           // likewise, with no level 2
  poke  EL1_L2 + 0 * 8, EL1_L3 + 3
  poke  EL1_L3 + 0 * 8, SCRATCH + 0x0000 | NORMAL | 2
  poke  EL1_L3 + 1 * 8, SCRATCH + 0x1000 | NORMAL | 2 | 2 << 6    // read-only
  poke  EL1_L3 + 2 * 8, SCRATCH + 0x2000 | 0x307                  // AF clear
  poke  EL1_L3 + 3 * 8, SCRATCH + 0x3000 | NORMAL | 2 | 1 << 53   // PXN
  poke  EL1_L3 + 4 * 8, SCRATCH + 0x4000 | NORMAL | 2 | 3 << 6    // EL0, read-only
  poke  EL1_L3 + 5 * 8, SCRATCH + 0x5000 | NORMAL | 2 | 1 << 6
  poke  S2_L1 + 0 * 8, S2_DEVICE
  poke  S2_L1 + 1 * 8, 0x40000000 | S2_NORMAL
  poke  S2_L1 + 2 * 8, S2_L2 + 3
  poke  S2_L2 + 0 * 8, S2_L3 + 3
  poke  S2_L3 + 0 * 8, SCRATCH + 0x0000 | S2_NORMAL | 2
  poke  S2_L3 + 1 * 8, SCRATCH + 0x1000 | 0x77f                   // read-only
  poke  S2_L3 + 2 * 8, SCRATCH + 0x2000 | 0x3ff                   // AF clear
  poke  S2_L3 + 3 * 8, SCRATCH + 0x3000 | S2_NORMAL | 2 | 2 << 53 // XN
  poke  EL2_L1 + 0 * 8, DEVICE
  poke  EL2_L1 + 1 * 8, 0x40000000 | NORMAL
  poke  EL2_L1 + 4 * 8, 0x40000000 | NORMAL | 2 << 6 | 1 << 54
  poke  EL2_L1 + 5 * 8, 0x40000000 | 0x305
  dsb   sy
  ret

// Makes the call in x0 to x3 and prints x0.
secure_call:
  mov   x29, x30
  mov   x20, x0
  smc   #0
  mov   x21, x0
  adr   x17, text_smc
  bl    puts
  mov   x17, x20
  bl    put_hex
  adr   x17, text_is
  bl    puts
  mov   x17, x21
  bl    put_hex
  adr   x17, text_newline
  bl    puts
  ret   x29

.macro line text, value
  adr   x17, \text
  bl    puts
  mrs   x17, \value
  bl    put_hex
.endm

.macro report el
  mov   x17, x27
  bl    puts
  adr   x17, text_el\el
  bl    puts
  mov   x17, x19
  bl    put_hex
  line  text_esr, esr_el\el
  line  text_far, far_el\el
  line  text_elr, elr_el\el
  line  text_spsr, spsr_el\el
  adr   x17, text_sp
  bl    puts
  mov   x17, sp
  bl    put_hex
  line  text_sp0, sp_el0
  .if \el == 2
  line  text_sp1, sp_el1
  line  text_hpfar, hpfar_el2
  .endif
  adr   x17, text_newline
  bl    puts
  msr   elr_el\el, x28
  cbz   x26, 1f
  msr   spsr_el\el, x26
  mov   x26, #0
1: mov  x30, x25
  eret
.endm

el2_report:
  report 2
el1_report:
  report 1

puts:                           // x17: string; clobbers x16, x18
  mov   x16, #0x09000000
1: ldrb w18, [x17], #1
  cbz   w18, 2f
  str   w18, [x16]
  b     1b
2: ret

put_hex:                        // x17: value; clobbers x16, x18, x22, x23
  mov   x16, #0x09000000
  mov   x22, #60
1: lsr  x18, x17, x22
  and   x18, x18, #0xf
  cmp   x18, #10
  add   x23, x18, #'0'
  add   x18, x18, #('a' - 10)
  csel  x18, x23, x18, lo
  str   w18, [x16]
  subs  x22, x22, #4
  b.ge  1b
  ret

.macro vectors target
  .set  slot, 0
  .rept 16
  .balign 0x80
  mov   x25, x30
  mov   x19, #slot
  b     \target
  .set  slot, slot + 0x80
  .endr
.endm

.balign 0x800
el2_vectors:
  vectors el2_report
.balign 0x800
el1_vectors:
  vectors el1_report

text_el1: .asciz ": EL1 vector "
text_el2: .asciz ": EL2 vector "
text_esr: .asciz " ESR "
text_far: .asciz " FAR "
text_elr: .asciz " ELR "
text_spsr: .asciz " SPSR "
text_sp: .asciz " SP "
text_sp0: .asciz " SP0 "
text_sp1: .asciz " SP1 "
text_hpfar: .asciz " HPFAR "
text_smc: .asciz "smc "
text_is: .asciz " is "
text_done: .asciz "done"
text_newline: .asciz "\n"
.balign 8
image_end:
