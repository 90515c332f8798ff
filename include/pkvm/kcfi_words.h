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
/// void (char)
inline constexpr Words serial{.plain = 0x99755e2b, .normalised = 0xa2fce979};
/// bool (struct user_pt_regs *): host SMC and default trap
inline constexpr Words trap{.plain = 0x0ffea198, .normalised = 0x422f2fbf};
/// void (enum pkvm_psci_notification, struct user_pt_regs *)
inline constexpr Words psci{.plain = 0xe0c0b8fe, .normalised = 0x9d21dc06};
/// bool (struct arm_smccc_1_2_regs *, struct arm_smccc_1_2_regs *, pkvm_handle_t)
inline constexpr Words guest_smc{.plain = 0x26d1e76e, .normalised = 0x43d8be93};
/// bool (void), void (void)
inline constexpr Words unmask_serror{.plain = 0x7f318e9b, .normalised = 0x2fad8a96};
inline constexpr Words mask_serror{.plain = 0xa540670c, .normalised = 0xe5c47d60};
/// int (struct user_pt_regs *, u64, u64)
inline constexpr Words fault_handler{.plain = 0x40937329, .normalised = 0xac9f3860};
/// bool (struct user_pt_regs *, u64, u64)
inline constexpr Words abort_handler{.plain = 0x401fcf8d, .normalised = 0xe51227c8};
/// bool (struct kvm_cpu_context *, u64, u64)
inline constexpr Words context_abort_handler{.plain = 0xd8f32f20, .normalised = 0xfc388924};
/// int (void *cookie, bool host_to_guest)
inline constexpr Words device_reset{.plain = 0x851588c7, .normalised = 0xb2a4ba31};

}  // namespace pkvm::kcfi
