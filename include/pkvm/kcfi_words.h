// SPDX-License-Identifier: GPL-2.0-only
// The word that kCFI puts before a function of a type (pkvm-abi.md 1.8): clang's hash of the type,
// as it stands, and with integers of one size taken as one type.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

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

struct FunctionType {
  Words words;
  std::string_view prototype;
};

/// What reports know by name: the types of the module ABI, and those that are taken for them.
inline constexpr auto function_types = std::to_array<FunctionType>({
    {hyp_init, "int (const struct pkvm_module_ops *)"},
    {handler, "void (struct user_pt_regs *)"},
    {serial, "void (char)"},
    {trap, "bool (struct user_pt_regs *)"},
    {psci, "void (enum pkvm_psci_notification, struct user_pt_regs *)"},
    {guest_smc,
     "bool (struct arm_smccc_1_2_regs *, struct arm_smccc_1_2_regs *, pkvm_handle_t)"},
    {unmask_serror, "bool (void)"},
    {mask_serror, "void (void)"},
    {fault_handler, "int (struct user_pt_regs *, u64, u64)"},
    {abort_handler, "bool (struct user_pt_regs *, u64, u64)"},
    {context_abort_handler, "bool (struct kvm_cpu_context *, u64, u64)"},
    {device_reset, "int (void *, bool)"},
    {el1_init, "int (void)"},
    {{.plain = 0x2edf6596, .normalised = 0x0935bbce}, "int (struct user_pt_regs *)"},
    {{.plain = 0x535866e9, .normalised = 0x087df2af}, "u64 (struct user_pt_regs *)"},
    {{.plain = 0x0b81a1cd, .normalised = 0xb92115eb}, "void (struct kvm_cpu_context *)"},
    {{.plain = 0xb76b14df, .normalised = 0x8b4d0e1a}, "bool (struct kvm_cpu_context *)"},
    {{.plain = 0x93c254f8, .normalised = 0x5060da08}, "int (struct kvm_cpu_context *)"},
    {{.plain = 0x6846037d, .normalised = 0xd0f329f3}, "int (struct kvm_cpu_context *, u64, u64)"},
    {{.plain = 0xb74dbbc9, .normalised = 0x2ff64187},
     "void (enum pkvm_psci_notification, struct kvm_cpu_context *)"},
    {{.plain = 0x4754c5f3, .normalised = 0xb75ddcd6}, "u64 (u64)"},
    {{.plain = 0x3e7ff605, .normalised = 0xb990318e}, "void (u64)"},
    {{.plain = 0xd786ad22, .normalised = 0xd2d75b28}, "int (u64)"},
    {{.plain = 0x00050794, .normalised = 0xcdde824b}, "int (int)"},
    {{.plain = 0x019c0cac, .normalised = 0x454a91cb}, "void (int)"},
    {{.plain = 0xa488ebfc, .normalised = 0x0ef81b7d}, "void (void *)"},
    {{.plain = 0x89fb613d, .normalised = 0xc069e464}, "int (void *)"},
});

/// Empty for a word that belongs to none of them. No two of them have one word, of any flavour.
constexpr std::string_view prototype_of(std::uint32_t word) {
  for (const FunctionType& type : function_types)
    if (word == type.words.plain || word == type.words.normalised) return type.prototype;
  return {};
}

}  // namespace pkvm::kcfi
