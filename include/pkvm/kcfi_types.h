// SPDX-License-Identifier: GPL-2.0-only
// kCFI words by name (pkvm-abi.md 1.8), for reports: types of functions that modules hand to the
// hypervisor or to the kernel, with the hash that clang makes of each, as it stands and with
// integers of one size taken as one type. A test compiles every row.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace pkvm::kcfi {

struct Type {
  std::uint32_t plain;
  std::uint32_t normalised;
  std::string_view role;       ///< "a hypercall handler"
  std::string_view prototype;  ///< "void (struct user_pt_regs *)"
};

// clang-format off
inline constexpr std::array types = {
    Type{0xc382'd712, 0xf175'f853, "the init of an EL2 half", "int (const struct pkvm_module_ops *)"},
    Type{0xe763'81d2, 0x878c'2790, "a hypercall handler or panic notifier", "void (struct user_pt_regs *)"},
    Type{0x0ffe'a198, 0x422f'2fbf, "a handler of host SMCs or other traps", "bool (struct user_pt_regs *)"},
    Type{0x4093'7329, 0xac9f'3860, "a permission fault handler", "int (struct user_pt_regs *, u64, u64)"},
    Type{0x401f'cf8d, 0xe512'27c8, "an illegal abort notifier or handler", "bool (struct user_pt_regs *, u64, u64)"},
    Type{0xd8f3'2f20, 0xfc38'8924, "an IOMMU driver's abort handler of 6.1", "bool (struct kvm_cpu_context *, u64, u64)"},
    Type{0xe0c0'b8fe, 0x9d21'dc06, "a PSCI notifier", "void (enum pkvm_psci_notification, struct user_pt_regs *)"},
    Type{0x26d1'e76e, 0x43d8'be93, "a handler of guest SMCs", "bool (struct arm_smccc_1_2_regs *, struct arm_smccc_1_2_regs *, u32)"},
    Type{0x9975'5e2b, 0xa2fc'e979, "a serial driver's putc", "void (char)"},
    Type{0x7f31'8e9b, 0x2fad'8a96, "an SError unmask function", "bool (void)"},
    Type{0xa540'670c, 0xe5c4'7d60, "a function without arguments or answer: exit, SError mask", "void (void)"},
    Type{0x36b1'c5a6, 0x6fbb'3035, "an EL1 init", "int (void)"},
    Type{0xb860'01b6, 0xa607'748c, "a work item", "void (struct work_struct *)"},
    Type{0x91b4'a83a, 0x4697'fdf1, "a timer", "void (struct timer_list *)"},
    Type{0x72c1'bba1, 0xe3cf'f753, "a high-resolution timer", "enum hrtimer_restart (struct hrtimer *)"},
    Type{0x63fa'7f9c, 0xdcf0'5a8a, "a parameter's set", "int (const char *, const struct kernel_param *)"},
    Type{0xc64c'3dfc, 0x38f9'9aad, "a parameter's get", "int (char *, const struct kernel_param *)"},
    Type{0x63df'1691, 0xc7f8'c87c, "a platform driver's probe", "int (struct platform_device *)"},
    Type{0xa76e'f056, 0x24a1'1bb9, "a platform driver's remove or shutdown", "void (struct platform_device *)"},
    Type{0x3f45'655f, 0x2a70'3c0b, "a device's probe or power call", "int (struct device *)"},
    Type{0xf90f'05f6, 0xd2f0'0be1, "an interrupt handler", "enum irqreturn (int, void *)"},
    Type{0x2a4c'ec24, 0xd512'7a3b, "a notifier", "int (struct notifier_block *, unsigned long, void *)"},
    Type{0x89fb'613d, 0xc069'e464, "a thread", "int (void *)"},
    Type{0xa488'ebfc, 0x0ef8'1b7d, "a release or free function", "void (void *)"},
    Type{0x16c5'16ce, 0x0b16'dd6f, "a comparison", "int (const void *, const void *)"},
    Type{0xdf43'c25c, 0xae84'bcd4, "an attribute's show", "ssize_t (struct device *, struct device_attribute *, char *)"},
    Type{0x95a8'ba07, 0x95c4'1a97, "an attribute's store", "ssize_t (struct device *, struct device_attribute *, const char *, size_t)"},
    Type{0x8f07'ca55, 0x9829'071d, "a file's open or release", "int (struct inode *, struct file *)"},
    Type{0xe014'08cd, 0x2af6'cdbb, "a file's ioctl", "long (struct file *, unsigned int, unsigned long)"},
    Type{0xe866'e2f4, 0xf4e9'd97c, "a file's read", "ssize_t (struct file *, char *, size_t, loff_t *)"},
    Type{0x9a66'0ea0, 0xc3d4'3b4d, "a file's write", "ssize_t (struct file *, const char *, size_t, loff_t *)"},
    Type{0xd7b5'72f7, 0x433f'470f, "a seq file's show", "int (struct seq_file *, void *)"},
};
// clang-format on

/// The type that a kCFI word stands for; null when it is none of the rows.
constexpr const Type* find_type(std::uint32_t word) {
  for (const Type& row : types)
    if (row.plain == word || row.normalised == word) return &row;
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
