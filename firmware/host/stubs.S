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

// w0: which one; x30: the caller.
stub_called:
  mov x1, x30
  b report_stub
