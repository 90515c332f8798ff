// SPDX-License-Identifier: GPL-2.0-only
// .altinstructions of a module (pkvm-abi.md 2.6): code that a kernel replaces on CPUs with some
// capability, in EL1 and EL2 text alike, before the EL2 half is loaded. Replaced is what is known
// (pkvm/cpucaps.h) and there; all else keeps its first form, which every CPU runs.
#pragma once

#include <cstdint>
#include <optional>

#include "host/module/module.h"
#include "host/module/services.h"
#include "pkvm/generation.h"

namespace pkvmemu::kmod {

/// What was replaced, and what was left for a reason that is worth a line of the log.
struct AppliedAlternatives {
  std::uint32_t replaced = 0;
  std::uint32_t unknown = 0;         ///< the capability's number is not known
  std::uint16_t unknown_number = 0;  ///< the first of those
  std::uint32_t not_understood = 0;  ///< the record, or code that cannot be moved
};

/// Once, with the sections relocated and not yet protected.
AppliedAlternatives apply_alternatives(KernelServices& services, pkvm::Generation generation,
                                       Module& module);

/// The instruction at `from` as it has to read at `to`: its target stays, but for one inside the
/// `size` bytes that are moved with it. Nothing for code that reads data beside itself, and when
/// the target is out of reach.
std::optional<std::uint32_t> moved_instruction(std::uint32_t instruction, std::uint64_t from,
                                               std::uint64_t to, std::uint64_t block,
                                               std::uint64_t size);

}  // namespace pkvmemu::kmod
