// SPDX-License-Identifier: GPL-2.0-only
// What `inspect` knows of kernels, as data: EL2 permissions of sections, kCFI hashes, capability
// numbers, relocation types that EL2 code may have, and the exported names of the load calls.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pkvm/cpucaps.h"
#include "pkvm/generation.h"
#include "pkvm/kcfi_words.h"

namespace pkvmemu::inspect {

/// A section of the EL2 half that the kernel maps at EL2 (pkvm-abi.md 2.2).
struct HypSectionRow {
  std::string_view name;
  std::string_view permission;
  pkvm::Generation since;
};

inline constexpr std::array hyp_section_rows = {
    HypSectionRow{".hyp.text", "r-x", pkvm::Generation::android14_6_1},
    HypSectionRow{".hyp.bss", "rw-", pkvm::Generation::android14_6_1},
    HypSectionRow{".hyp.rodata", "r--", pkvm::Generation::android14_6_1},
    HypSectionRow{".hyp.data", "rw-", pkvm::Generation::android14_6_1},
    HypSectionRow{".hyp.event_ids", "r--", pkvm::Generation::android15_6_6},
    HypSectionRow{".hyp.patchable_function_entries", "r--", pkvm::Generation::android16_6_12},
};

constexpr const HypSectionRow* find_hyp_section(std::string_view name) {
  for (const HypSectionRow& row : hyp_section_rows)
    if (row.name == name) return &row;
  return nullptr;
}

enum class Kcfi : std::uint8_t { none, plain, normalised };
constexpr std::string_view name_of(Kcfi flavour) {
  constexpr std::array<std::string_view, 3> names = {"none", "plain", "normalised"};
  return names[static_cast<std::size_t>(flavour)];
}

enum class Role : std::uint8_t { init, handler };

/// The word before a function of this type: clang's hash of int (const struct pkvm_module_ops *)
/// and of void (struct user_pt_regs *). 6.1 has none at EL2 (pkvm-abi.md 1.8).
struct HashRow {
  std::uint32_t word;
  Role role;
  Kcfi flavour;
};

inline constexpr std::array hash_rows = {
    HashRow{pkvm::kcfi::hyp_init.plain, Role::init, Kcfi::plain},
    HashRow{pkvm::kcfi::hyp_init.normalised, Role::init, Kcfi::normalised},
    HashRow{pkvm::kcfi::handler.plain, Role::handler, Kcfi::plain},
    HashRow{pkvm::kcfi::handler.normalised, Role::handler, Kcfi::normalised},
};

constexpr const HashRow* find_hash(std::uint32_t word) {
  for (const HashRow& row : hash_rows)
    if (row.word == word) return &row;
  return nullptr;
}

/// What the generation's kernel checks at EL2.
inline constexpr std::array<Kcfi, pkvm::generation_count> kernel_kcfi = {Kcfi::none, Kcfi::plain,
                                                                         Kcfi::normalised};

inline constexpr std::uint16_t capability_callback = pkvm::cpucaps::callback_bit;

constexpr std::string_view capability_name(pkvm::Generation generation, std::uint16_t number) {
  const pkvm::cpucaps::Row* const row = pkvm::cpucaps::find(generation, number);
  return row == nullptr ? std::string_view{} : row->name;
}

/// What becomes of code with an alternative, in a run with the usual options (pkvm/cpucaps.h).
enum class AlternativeFate : std::uint8_t {
  replaced,  ///< the CPU and the kernel have the capability
  by_mode,   ///< replaced with kvm-arm.mode=protected, which is usual, and else not
  kept,      ///< neither has it
  callback,  ///< code of the kernel makes it: alt_cb_patch_nops is known, others are left alone
  unknown,   ///< the number is not known, or the generation is not: left alone
};

/// What a run makes of code with an alternative for this capability, on our CPU, which has LSE.
struct FateRow {
  pkvm::cpucaps::Presence presence;
  AlternativeFate fate;
};
inline constexpr std::array fate_rows = {
    FateRow{pkvm::cpucaps::Presence::never, AlternativeFate::kept},
    FateRow{pkvm::cpucaps::Presence::always, AlternativeFate::replaced},
    FateRow{pkvm::cpucaps::Presence::protected_mode, AlternativeFate::by_mode},
    FateRow{pkvm::cpucaps::Presence::lse_atomics, AlternativeFate::replaced},
};

/// `capability` as a module has it, with the bit for callbacks.
constexpr AlternativeFate fate_of(std::optional<pkvm::Generation> generation,
                                  std::uint16_t capability) {
  const auto number = static_cast<std::uint16_t>(capability & ~capability_callback);
  const pkvm::cpucaps::Row* const row =
      generation ? pkvm::cpucaps::find(*generation, number) : nullptr;
  if (row == nullptr) return AlternativeFate::unknown;
  const auto* const fate = std::ranges::find(fate_rows, row->presence, &FateRow::presence);
  const bool made_by_code = (capability & capability_callback) != 0;
  return made_by_code && fate->fate != AlternativeFate::kept ? AlternativeFate::callback
                                                             : fate->fate;
}

/// Relocation types that the kernel's build accepts in EL2 sections (pkvm-abi.md 2.5).
constexpr bool is_allowed_at_el2(pkvm::Generation generation, std::uint32_t type) {
  constexpr std::uint32_t abs32 = 258;
  constexpr std::array<std::uint32_t, 27> allowed = {0,   256, 257, 260, 261, 262, 314, 273, 274,
                                                     275, 276, 277, 278, 279, 280, 282, 283, 284,
                                                     285, 286, 287, 288, 289, 290, 291, 292, 293};
  constexpr std::uint32_t ldst128 = 299;
  if (type == abs32) return generation >= pkvm::Generation::android15_6_6;
  return type == ldst128 || std::ranges::find(allowed, type) != allowed.end();
}

inline constexpr std::string_view load_call = "__pkvm_load_el2_module";
inline constexpr std::string_view register_call = "__pkvm_register_el2_call";
inline constexpr std::string_view export_prefix = "__ksymtab_";

}  // namespace pkvmemu::inspect
