// SPDX-License-Identifier: GPL-2.0-only
// Hyp panic (pkvm-abi.md 8.5): reports what happened and says how to enter the host kernel's panic
// handler. The vectors call it on a stack of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hyp/abi_types.h"
#include "hyp/asm_offsets.h"

namespace pkvmemu::hyp {

/// How the vectors leave EL2: x0..x7, where to, and whose x8..x30.
struct PanicExit {
  std::array<std::uint64_t, 8> x;
  std::uint64_t handler;
  const user_pt_regs* host;  ///< null when the host's registers were not saved
};
static_assert(offsetof(PanicExit, handler) == PANIC_EXIT_HANDLER);
static_assert(offsetof(PanicExit, host) == PANIC_EXIT_HOST);

using PanicRegisters = std::array<std::uint64_t, 31>;

}  // namespace pkvmemu::hyp

/// x0..x30 of who panicked; the vectors fill them in.
// NOLINTNEXTLINE(bugprone-dynamic-static-initializers): constinit where it is defined
extern "C" pkvmemu::hyp::PanicRegisters hyp_panic_registers;
/// `origin`: PANIC_FROM_EL2 or PANIC_FROM_HOST; `sp`: SP_EL2 at the exception.
extern "C" const pkvmemu::hyp::PanicExit* hyp_panic(std::uint64_t origin, std::uint64_t sp);
