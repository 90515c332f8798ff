// SPDX-License-Identifier: GPL-2.0-only
// kCFI towards modules (pkvm-abi.md 1.8): before a call into module code the word before the callee
// is compared by hand, so that a module built without hashes still runs. The compiler's own check
// would refuse it; nothing in this image that calls a module is compiled with -fsanitize=kcfi.
#pragma once

#include <array>
#include <cstdint>

#include "lib/address_cast.h"
#include "lib/arch.h"
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

/// int (const struct pkvm_module_ops *)
inline constexpr CfiType init_cfi_type{{0, 0xc382'd712, 0xf175'f853}};
/// void (struct user_pt_regs *)
inline constexpr CfiType handler_cfi_type{{0, 0xe763'81d2, 0x878c'2790}};
/// void (char)
inline constexpr CfiType putc_cfi_type{{0, 0x9975'5e2b, 0xa2fc'e979}};
/// bool (struct user_pt_regs *): host SMC and default trap
inline constexpr CfiType trap_cfi_type{{0, 0x0ffe'a198, 0x422f'2fbf}};
/// void (enum pkvm_psci_notification, struct user_pt_regs *)
inline constexpr CfiType psci_cfi_type{{0, 0xe0c0'b8fe, 0x9d21'dc06}};
/// bool (struct arm_smccc_1_2_regs *, struct arm_smccc_1_2_regs *, pkvm_handle_t)
inline constexpr CfiType guest_smc_cfi_type{{0, 0x26d1'e76e, 0x43d8'be93}};
/// bool (void), void (void)
inline constexpr CfiType unmask_serror_cfi_type{{0, 0x7f31'8e9b, 0x2fad'8a96}};
inline constexpr CfiType mask_serror_cfi_type{{0, 0xa540'670c, 0xe5c4'7d60}};
/// Of a kernel that has no words at EL2 (6.1).
inline constexpr CfiType unchecked_cfi_type{{0, 0, 0}};
/// int (struct user_pt_regs *, u64, u64)
inline constexpr CfiType fault_handler_cfi_type{{0, 0x4093'7329, 0xac9f'3860}};
/// bool (struct user_pt_regs *, u64, u64)
inline constexpr CfiType abort_handler_cfi_type{{0, 0x401f'cf8d, 0xe512'27c8}};
/// bool (struct kvm_cpu_context *, u64, u64)
inline constexpr CfiType context_abort_handler_cfi_type{{0, 0xd8f3'2f20, 0xfc38'8924}};

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
