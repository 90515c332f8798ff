// SPDX-License-Identifier: GPL-2.0-only
// One stub for each unresolved import (stubs.h). Each is entered like the function it stands for and
// touches only what a call may: x0 to x17.
#include "host/asm_constants.h"

  .text
  .balign 16
  .globl unresolved_stubs
  .hidden unresolved_stubs
unresolved_stubs:
  .set index, 0
  .rept STUB_COUNT
  mov w0, #index
  b stub_called
  .set index, index + 1
  .endr

// One for each row of stubs.def, in its order. They keep x0, which some of them return.
  .globl declared_stub_code
  .hidden declared_stub_code
declared_stub_code:
  .set index, 0
#define PKVM_STUB(name, returns, error, why) mov w16, index; b declared_stub_called; .set index, index + 1
#include "pkvm/stubs.def"
#undef PKVM_STUB

// w16: the row; x0: its first argument; x30: the caller.
declared_stub_called:
  mov x1, x0
  mov x2, x30
  mov w0, w16
  b report_declared_stub

// w0: which one; x30: the caller.
stub_called:
  mov x1, x30
  b report_stub
