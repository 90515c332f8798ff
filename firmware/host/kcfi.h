// SPDX-License-Identifier: GPL-2.0-only
// A kCFI check that failed at EL1: who called whom, and as what (pkvm-abi.md 8.5).
#pragma once

#include <cstdint>

namespace pkvmemu::host {

struct ExceptionFrame;

[[noreturn]] void panic_for_cfi(const ExceptionFrame& frame);

/// "  expected type 0xe76381d2: a hypercall handler, void (struct user_pt_regs *)" on the console.
void print_cfi_type(const char* which, std::uint32_t word);

}  // namespace pkvmemu::host
