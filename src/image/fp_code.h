// SPDX-License-Identifier: GPL-2.0-only
// FP and SIMD instructions in a module's EL2 code. Nobody saves these registers around a call of a
// module (pkvm-abi.md 1.8, 4.4), and no trap tells: they hold values of whatever the host runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "image/ko.h"

namespace pkvmemu::image {

/// By the encoding's main groups (Arm ARM C4.1): data processing of SIMD and FP, loads and stores
/// of their registers, SVE.
constexpr bool is_fp_instruction(std::uint32_t word) {
  const std::uint32_t group = word >> 25 & 0xF;
  const bool data_processing = (group & 0b0111) == 0b0111;
  const bool load_or_store = (group & 0b0101) == 0b0100;
  const bool of_vectors = (word >> 26 & 1) != 0;
  const bool sve = group == 0b0010;
  return data_processing || (load_or_store && of_vectors) || sve;
}

struct FpCode {
  std::string where;  ///< the first one: "hash+0x10"
  std::size_t count = 0;
};

/// Nothing when the EL2 half has none. Data between functions, as kCFI's words, is passed over.
std::optional<FpCode> find_fp_code(const KoFile& ko);

}  // namespace pkvmemu::image
