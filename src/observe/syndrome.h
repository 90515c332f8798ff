// SPDX-License-Identifier: GPL-2.0-only
// ESR_EL2 in words, for people who do not read syndromes (Arm ARM D17.2.37; kCFI: pkvm-abi.md 1.8).
#pragma once

#include <cstdint>
#include <string>

namespace pkvmemu::observe {

/// What an exception taken at EL2 was: "write to 0x0, a null pointer (translation fault, level 1)".
std::string syndrome_text(std::uint64_t esr, std::uint64_t far);

}  // namespace pkvmemu::observe
