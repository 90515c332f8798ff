// SPDX-License-Identifier: GPL-2.0-only
// kCFI towards modules (pkvm-abi.md 1.8): before a call into module code the word before the callee
// is compared by hand, so that a module built without hashes still runs. The compiler's own check
// would refuse it; nothing in this image that calls a module is compiled with -fsanitize=kcfi.
#pragma once

#include <array>
#include <cstdint>

#include "lib/address_cast.h"
#include "lib/arch.h"
#include "pkvm/kcfi_words.h"
#include "support/address.h"

namespace pkvmemu::hyp {

/// How a module's hashes were made; `none` is no check at all.
enum class CfiFlavour : std::uint8_t { none = 0, plain = 1, normalized = 2 };

/// The hash of one function type in each flavour.
struct CfiType {
  std::array<std::uint32_t, 3> by_flavour;
  constexpr std::uint32_t hash(CfiFlavour flavour) const {
    return by_flavour[static_cast<std::size_t>(flavour)];
  }
};

constexpr CfiType type_of(const pkvm::kcfi::Words& words) {
  return {{0, words.plain, words.normalised}};
}

inline constexpr CfiType init_cfi_type = type_of(pkvm::kcfi::hyp_init);
inline constexpr CfiType handler_cfi_type = type_of(pkvm::kcfi::handler);
inline constexpr CfiType putc_cfi_type = type_of(pkvm::kcfi::serial);
inline constexpr CfiType trap_cfi_type = type_of(pkvm::kcfi::trap);
inline constexpr CfiType psci_cfi_type = type_of(pkvm::kcfi::psci);
inline constexpr CfiType guest_smc_cfi_type = type_of(pkvm::kcfi::guest_smc);
inline constexpr CfiType unmask_serror_cfi_type = type_of(pkvm::kcfi::unmask_serror);
inline constexpr CfiType mask_serror_cfi_type = type_of(pkvm::kcfi::mask_serror);
inline constexpr CfiType fault_handler_cfi_type = type_of(pkvm::kcfi::fault_handler);
inline constexpr CfiType abort_handler_cfi_type = type_of(pkvm::kcfi::abort_handler);
inline constexpr CfiType context_abort_handler_cfi_type =
    type_of(pkvm::kcfi::context_abort_handler);
/// Of a kernel that has no words at EL2 (6.1).
inline constexpr CfiType unchecked_cfi_type{{0, 0, 0}};

inline std::uint32_t word_before(HypVa function) {
  return *fw::object_at<const std::uint32_t>(function - sizeof(std::uint32_t));
}

/// Which flavour the module was built in whose init function this is.
inline CfiFlavour flavour_of_init(HypVa init) {
  const std::uint32_t word = word_before(init);
  for (const CfiFlavour flavour : {CfiFlavour::plain, CfiFlavour::normalized})
    if (word == init_cfi_type.hash(flavour)) return flavour;
  return CfiFlavour::none;
}

/// `expected` 0: the module carries no hashes.
inline void check_callee(HypVa function, std::uint32_t expected) {
  if (expected != 0 && word_before(function) != expected) [[unlikely]]
    arch::cfi_failure(function.value, expected);
}

}  // namespace pkvmemu::hyp
