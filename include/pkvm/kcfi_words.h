// SPDX-License-Identifier: GPL-2.0-only
// The word that kCFI puts before a function of a type (pkvm-abi.md 1.8): clang's hash of the type,
// as it stands, and with integers of one size taken as one type.
#pragma once

#include <cstdint>

namespace pkvm::kcfi {

struct Words {
  std::uint32_t plain;
  std::uint32_t normalised;
};

/// int (const struct pkvm_module_ops *): the init of an EL2 half.
inline constexpr Words hyp_init{.plain = 0xc382d712, .normalised = 0xf175f853};
/// void (struct user_pt_regs *): a handler.
inline constexpr Words handler{.plain = 0xe76381d2, .normalised = 0x878c2790};
/// int (void): the init of an EL1 half.
inline constexpr Words el1_init{.plain = 0x36b1c5a6, .normalised = 0x6fbb3035};

}  // namespace pkvm::kcfi
