// SPDX-License-Identifier: GPL-2.0-only
// A kernel module's file (.ko): what a loader and a person want to know of it beyond ELF. Signature
// trailers, __versions and debug sections are tolerated and ignored. Freestanding.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "image/elf.h"
#include "pkvm/generation.h"

namespace pkvmemu::image {

inline constexpr std::string_view this_module_section = ".gnu.linkonce.this_module";
/// Prefix of every symbol of a module's EL2 part (pkvm-abi.md 2.1).
inline constexpr std::string_view hyp_symbol_prefix = "__kvm_nvhe_";

class KoFile {
 public:
  KoFile() = default;
  static Expected<KoFile> open(ByteView file);

  [[nodiscard]] const ElfFile& elf() const { return elf_; }
  [[nodiscard]] const Section& this_module() const { return this_module_; }

  /// The value of the first `key=value` in .modinfo.
  [[nodiscard]] std::optional<std::string_view> modinfo(std::string_view key) const;
  [[nodiscard]] std::string_view vermagic() const { return vermagic_; }
  /// modinfo's name, else the one inside this_module.
  [[nodiscard]] std::string_view name() const { return name_; }
  /// Comma-separated names; empty when it depends on none.
  [[nodiscard]] std::string_view depends() const { return modinfo("depends").value_or(""); }
  /// Nothing when the vermagic is of none of ours.
  [[nodiscard]] std::optional<pkvm::Generation> generation() const {
    return pkvm::generation_of_vermagic(vermagic_);
  }
  /// It carries EL2 code (pkvm-abi.md 2.3).
  [[nodiscard]] bool has_hyp() const;
  /// Of the kernel that the EL2 half was linked for: its linker script aligns and pads each EL2
  /// section to a page (pkvm-abi.md 2.2). 4096 without an EL2 half.
  [[nodiscard]] std::uint64_t hyp_page_size() const;

 private:
  ElfFile elf_;
  Section this_module_;
  Stream modinfo_;
  std::string_view vermagic_;
  std::string_view name_;
};

/// "__kvm_nvhe_foo" -> "foo"; other names as they are.
constexpr std::string_view without_hyp_prefix(std::string_view name) {
  if (name.starts_with(hyp_symbol_prefix)) name.remove_prefix(hyp_symbol_prefix.size());
  return name;
}

}  // namespace pkvmemu::image
