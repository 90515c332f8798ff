// SPDX-License-Identifier: GPL-2.0-only
// Exceptions that the EL1 kernel takes. All but a WARN of a module end in a panic with a readable
// report: what happened, where, by whose code.
#pragma once

#include <cstdint>

namespace pkvmemu::host {

/// As vectors.S lays it out.
struct ExceptionFrame {
  std::uint64_t x[31];
  std::uint64_t elr, spsr, esr, far, sp;
};
static_assert(sizeof(ExceptionFrame) == 288);

/// Decides what a BRK of bug-table kind is; false when nobody knows it. Set by whoever has modules.
using WarnLookup = bool (*)(std::uint64_t address);
void set_warn_lookup(WarnLookup lookup);

}  // namespace pkvmemu::host
