// SPDX-License-Identifier: GPL-2.0-only
// Decodes A64 loads and stores as far as a data abort needs: the address they access, and the
// instruction syndrome (ISV and what follows it) where there is one (Arm ARM C4.1.94, ISS encoding
// of a data abort). A table of encoding groups; anything else is not a memory access.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace pkvmemu::cpu {

/// Reads general register 0..30; 31 reads SP.
using RegisterReader = std::function<std::uint64_t(unsigned)>;

struct LoadStore {
  /// Of the lowest byte accessed, tag bits included.
  std::uint64_t address = 0;
  /// ISV, SAS, SSE, SRT, SF and AR, ready to be OR-ed into an ISS. Absent for accesses that never
  /// have an instruction syndrome: pairs, exclusives, atomics, SIMD, and those with writeback.
  std::optional<std::uint64_t> instruction_syndrome;
};

/// `pc` is the address of the instruction.
std::optional<LoadStore> decode_load_store(std::uint32_t instruction, std::uint64_t pc,
                                           const RegisterReader& read_register);

}  // namespace pkvmemu::cpu
