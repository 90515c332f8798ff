// SPDX-License-Identifier: GPL-2.0-only
// How each generation's kernel build makes modules, as data: the version string, kCFI, and the
// sections of the EL2 half (pkvm-abi.md 1.8, 2.1, 2.2). Layouts are in pkvm/generation.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pkvm/generation.h"

namespace pkvmemu::build {

/// The word before each function that says what its type is.
enum class Cfi : std::uint8_t {
  off,
  plain,       ///< -fsanitize=kcfi
  normalised,  ///< and integers of one size count as one type
};

struct KmiRow {
  pkvm::Generation id;
  std::string_view vermagic_tail;  ///< after kernel_release
  Cfi el1_cfi;
  Cfi el2_cfi;
};

inline constexpr std::array<KmiRow, pkvm::generation_count> kmi_rows = {{
    {pkvm::Generation::android14_6_1, "-android14-11 SMP preempt mod_unload modversions aarch64",
     Cfi::plain, Cfi::off},
    {pkvm::Generation::android15_6_6, "-android15-8 SMP preempt mod_unload modversions aarch64",
     Cfi::plain, Cfi::plain},
    {pkvm::Generation::android16_6_12, "-android16-5 SMP preempt mod_unload modversions aarch64",
     Cfi::normalised, Cfi::normalised},
}};

constexpr const KmiRow& kmi_row(pkvm::Generation id) {
  return kmi_rows[static_cast<std::size_t>(id)];
}

/// Whether the loader maps a section at EL2, in pages of its own, or only EL1 reads it.
enum class HypUse : std::uint8_t { mapped, carried };

/// A section of the EL2 half, in the order that the finished module has them (pkvm-abi.md 2.2).
struct HypSection {
  std::string_view name;
  std::string_view inputs;  ///< what the EL2 objects call it, as linker script patterns
  pkvm::Generation since;
  HypUse use = HypUse::mapped;
  /// The generation whose EL2 code sees where it begins and ends, as NAME_start and NAME_end.
  std::optional<pkvm::Generation> bounds_in = std::nullopt;
};
/// NAME of the only ones.
inline constexpr std::string_view hyp_event_ids_bounds = "__hyp_event_ids";

inline constexpr std::array hyp_sections = {
    HypSection{".hyp.text", ".text .text.*", pkvm::Generation::android14_6_1},
    HypSection{".hyp.bss", ".bss .bss.* COMMON", pkvm::Generation::android14_6_1},
    HypSection{".hyp.rodata", ".rodata .rodata.*", pkvm::Generation::android14_6_1},
    HypSection{".hyp.event_ids", ".hyp.event_ids SORT(.hyp.event_ids.*)",
               pkvm::Generation::android15_6_6, HypUse::mapped, pkvm::Generation::android15_6_6},
    HypSection{".hyp.patchable_function_entries", "__patchable_function_entries",
               pkvm::Generation::android16_6_12},
    HypSection{".hyp.data", ".data .data.*", pkvm::Generation::android14_6_1},
    HypSection{".hyp.printk_fmts", ".hyp.printk_fmts", pkvm::Generation::android16_6_12,
               HypUse::carried},
};

inline constexpr std::uint64_t module_page_size = 4096;
inline constexpr std::string_view nvhe_prefix = "__kvm_nvhe_";
/// A symbol of this name and a section's name stands at the section's start.
inline constexpr std::string_view hyp_section_symbol = "__hyp_section_";

}  // namespace pkvmemu::build
