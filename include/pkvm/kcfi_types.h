// SPDX-License-Identifier: GPL-2.0-only
// kCFI words by name (pkvm-abi.md 1.8), for reports: types of functions that modules hand to the
// hypervisor or to the kernel, with the hash that clang makes of each, as it stands and with
// integers of one size taken as one type. A test compiles every row.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "pkvm/kcfi_words.h"

namespace pkvm::kcfi {

struct Type {
  Words words;
  std::string_view role;       ///< "a hypercall handler"; empty for none
  std::string_view prototype;  ///< "void (struct user_pt_regs *)"
};

// clang-format off
inline constexpr auto types = std::to_array<Type>({
    Type{hyp_init, "the init of an EL2 half", "int (const struct pkvm_module_ops *)"},
    Type{handler, "a hypercall handler or panic notifier", "void (struct user_pt_regs *)"},
    Type{trap, "a handler of host SMCs or other traps", "bool (struct user_pt_regs *)"},
    Type{fault_handler, "a permission fault handler", "int (struct user_pt_regs *, u64, u64)"},
    Type{abort_handler, "an illegal abort notifier or handler", "bool (struct user_pt_regs *, u64, u64)"},
    Type{context_abort_handler, "an IOMMU driver's abort handler of 6.1", "bool (struct kvm_cpu_context *, u64, u64)"},
    Type{psci, "a PSCI notifier", "void (enum pkvm_psci_notification, struct user_pt_regs *)"},
    Type{guest_smc, "a handler of guest SMCs", "bool (struct arm_smccc_1_2_regs *, struct arm_smccc_1_2_regs *, pkvm_handle_t)"},
    Type{serial, "a serial driver's putc", "void (char)"},
    Type{unmask_serror, "an SError unmask function", "bool (void)"},
    Type{mask_serror, "a function without arguments or answer: exit, SError mask", "void (void)"},
    Type{device_reset, "a device reset", "int (void *, bool)"},
    Type{el1_init, "an EL1 init", "int (void)"},
    Type{Words{0xb86001b6, 0xa607748c}, "a work item", "void (struct work_struct *)"},
    Type{Words{0x91b4a83a, 0x4697fdf1}, "a timer", "void (struct timer_list *)"},
    Type{Words{0x72c1bba1, 0xe3cff753}, "a high-resolution timer", "enum hrtimer_restart (struct hrtimer *)"},
    Type{Words{0x63fa7f9c, 0xdcf05a8a}, "a parameter's set", "int (const char *, const struct kernel_param *)"},
    Type{Words{0xc64c3dfc, 0x38f99aad}, "a parameter's get", "int (char *, const struct kernel_param *)"},
    Type{Words{0x63df1691, 0xc7f8c87c}, "a platform driver's probe", "int (struct platform_device *)"},
    Type{Words{0xa76ef056, 0x24a11bb9}, "a platform driver's remove or shutdown", "void (struct platform_device *)"},
    Type{Words{0x3f45655f, 0x2a703c0b}, "a device's probe or power call", "int (struct device *)"},
    Type{Words{0xf90f05f6, 0xd2f00be1}, "an interrupt handler", "enum irqreturn (int, void *)"},
    Type{Words{0x2a4cec24, 0xd5127a3b}, "a notifier", "int (struct notifier_block *, unsigned long, void *)"},
    Type{Words{0x89fb613d, 0xc069e464}, "a thread", "int (void *)"},
    Type{Words{0xa488ebfc, 0x0ef81b7d}, "a release or free function", "void (void *)"},
    Type{Words{0x16c516ce, 0x0b16dd6f}, "a comparison", "int (const void *, const void *)"},
    Type{Words{0xdf43c25c, 0xae84bcd4}, "an attribute's show", "ssize_t (struct device *, struct device_attribute *, char *)"},
    Type{Words{0x95a8ba07, 0x95c41a97}, "an attribute's store", "ssize_t (struct device *, struct device_attribute *, const char *, size_t)"},
    Type{Words{0x8f07ca55, 0x9829071d}, "a file's open or release", "int (struct inode *, struct file *)"},
    Type{Words{0xe01408cd, 0x2af6cdbb}, "a file's ioctl", "long (struct file *, unsigned int, unsigned long)"},
    Type{Words{0xe866e2f4, 0xf4e9d97c}, "a file's read", "ssize_t (struct file *, char *, size_t, loff_t *)"},
    Type{Words{0x9a660ea0, 0xc3d43b4d}, "a file's write", "ssize_t (struct file *, const char *, size_t, loff_t *)"},
    Type{Words{0xd7b572f7, 0x433f470f}, "a seq file's show", "int (struct seq_file *, void *)"},
    // Taken for the above.
    Type{Words{0x2edf6596, 0x0935bbce}, "", "int (struct user_pt_regs *)"},
    Type{Words{0x535866e9, 0x087df2af}, "", "u64 (struct user_pt_regs *)"},
    Type{Words{0x0b81a1cd, 0xb92115eb}, "", "void (struct kvm_cpu_context *)"},
    Type{Words{0xb76b14df, 0x8b4d0e1a}, "", "bool (struct kvm_cpu_context *)"},
    Type{Words{0x93c254f8, 0x5060da08}, "", "int (struct kvm_cpu_context *)"},
    Type{Words{0x6846037d, 0xd0f329f3}, "", "int (struct kvm_cpu_context *, u64, u64)"},
    Type{Words{0xb74dbbc9, 0x2ff64187}, "", "void (enum pkvm_psci_notification, struct kvm_cpu_context *)"},
    Type{Words{0x4754c5f3, 0xb75ddcd6}, "", "u64 (u64)"},
    Type{Words{0x3e7ff605, 0xb990318e}, "", "void (u64)"},
    Type{Words{0xd786ad22, 0xd2d75b28}, "", "int (u64)"},
    Type{Words{0x00050794, 0xcdde824b}, "", "int (int)"},
    Type{Words{0x019c0cac, 0x454a91cb}, "", "void (int)"},
});
// clang-format on

/// The type that a kCFI word stands for; null when it is none of the rows. No two of them have one
/// word, of any flavour.
constexpr const Type* find_type(std::uint32_t word) {
  for (const Type& row : types)
    if (row.words.plain == word || row.words.normalised == word) return &row;
  return nullptr;
}

/// A failed check is BRK 0x8000 | type register << 5 | target register (pkvm-abi.md 8.5).
struct Check {
  unsigned type_register;
  unsigned target_register;
};
inline constexpr std::uint64_t brk_base = 0x8000;
inline constexpr std::uint64_t brk_mask = 0x3ff;
constexpr bool is_check(std::uint64_t immediate) {
  return (immediate & ~brk_mask) == brk_base;
}
constexpr Check check_of(std::uint64_t immediate) {
  constexpr std::uint64_t number = 0x1f;
  return {.type_register = static_cast<unsigned>(immediate >> 5 & number),
          .target_register = static_cast<unsigned>(immediate & number)};
}

}  // namespace pkvm::kcfi
