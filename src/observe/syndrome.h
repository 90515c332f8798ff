// SPDX-License-Identifier: GPL-2.0-only
// ESR_EL2 in words, for people who do not read syndromes (Arm ARM D17.2.37; kCFI: pkvm-abi.md 1.8).
#pragma once

#include <cstdint>
#include <string>

namespace pkvmemu::observe {

// ESR_EL2.EC of exceptions taken from EL2 itself.
inline constexpr std::uint64_t ec_unknown = 0x00;
inline constexpr std::uint64_t ec_instruction_abort = 0x21;
inline constexpr std::uint64_t ec_pc_alignment = 0x22;
inline constexpr std::uint64_t ec_data_abort = 0x25;
inline constexpr std::uint64_t ec_sp_alignment = 0x26;
inline constexpr std::uint64_t ec_brk = 0x3c;

/// What an exception taken at EL2 was: "write to 0x0, a null pointer (translation fault, level 1)".
std::string syndrome_text(std::uint64_t esr, std::uint64_t far);

}  // namespace pkvmemu::observe
