// SPDX-License-Identifier: GPL-2.0-only
#include "build/hyp_reloc.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "build/kmi.h"

namespace pkvmemu::build {
namespace {

/// Relocation types, inclusive, that stay right when all sections of the EL2 half move together
/// (pkvm-abi.md 2.5).
struct TypeRange {
  std::uint32_t first;
  std::uint32_t last;
};
constexpr std::array position_independent = {
    TypeRange{R_AARCH64_NONE, R_AARCH64_NONE},
    TypeRange{R_AARCH64_ABS32, R_AARCH64_ABS32},  // kCFI hashes
    TypeRange{R_AARCH64_PREL64, R_AARCH64_PREL16},
    TypeRange{314 /* PLT32 */, 314},
    TypeRange{R_AARCH64_LD_PREL_LO19, R_AARCH64_CONDBR19},
    TypeRange{R_AARCH64_JUMP26, R_AARCH64_LDST64_ABS_LO12_NC},
    TypeRange{R_AARCH64_MOVW_PREL_G0, R_AARCH64_MOVW_PREL_G3},
    TypeRange{R_AARCH64_LDST128_ABS_LO12_NC, R_AARCH64_LDST128_ABS_LO12_NC},
};

bool is_position_independent(std::uint32_t type) {
  return std::ranges::any_of(position_independent, [type](const TypeRange& range) {
    return range.first <= type && type <= range.last;
  });
}

/// Names of the types that people meet here; the rest are numbers.
struct TypeName {
  std::uint32_t type;
  std::string_view name;
};
constexpr std::array refused_names = {
    TypeName{R_AARCH64_ABS16, "R_AARCH64_ABS16"},
    TypeName{R_AARCH64_MOVW_UABS_G0, "R_AARCH64_MOVW_UABS_G0"},
    TypeName{R_AARCH64_MOVW_UABS_G0_NC, "R_AARCH64_MOVW_UABS_G0_NC"},
    TypeName{R_AARCH64_MOVW_UABS_G1, "R_AARCH64_MOVW_UABS_G1"},
    TypeName{R_AARCH64_MOVW_UABS_G1_NC, "R_AARCH64_MOVW_UABS_G1_NC"},
    TypeName{R_AARCH64_MOVW_UABS_G2, "R_AARCH64_MOVW_UABS_G2"},
    TypeName{R_AARCH64_MOVW_UABS_G2_NC, "R_AARCH64_MOVW_UABS_G2_NC"},
    TypeName{R_AARCH64_MOVW_UABS_G3, "R_AARCH64_MOVW_UABS_G3"},
    TypeName{R_AARCH64_ADR_GOT_PAGE, "R_AARCH64_ADR_GOT_PAGE"},
    TypeName{R_AARCH64_LD64_GOT_LO12_NC, "R_AARCH64_LD64_GOT_LO12_NC"},
    TypeName{R_AARCH64_TLSLE_ADD_TPREL_HI12, "R_AARCH64_TLSLE_ADD_TPREL_HI12"},
    TypeName{R_AARCH64_TLSLE_ADD_TPREL_LO12_NC, "R_AARCH64_TLSLE_ADD_TPREL_LO12_NC"},
};

std::string type_name(std::uint32_t type) {
  const auto* const found = std::ranges::find(refused_names, type, &TypeName::type);
  return fmt::format("relocation {} ({})", found == refused_names.end() ? "type" : found->name,
                     type);
}

std::string target_name(const ObjectFile& el2, const Relocation& relocation) {
  const Symbol& symbol = el2.symbols()[relocation.symbol];
  if (!symbol.name.empty()) return std::string(symbol.name);
  if (symbol.section < el2.sections().size())
    return std::string(el2.sections()[symbol.section].name);
  return "an unnamed symbol";
}

}  // namespace

Result<std::string> hyp_reloc_source(const ObjectFile& el2) {
  std::string source = "\t.section .hyp.reloc, \"a\"\n\t.balign 4\n";
  for (const Relocation& relocation : el2.relocations()) {
    const std::string_view section = el2.sections()[relocation.section].name;
    if (!section.starts_with(".hyp.")) continue;
    if (relocation.type == R_AARCH64_ABS64) {
      source +=
          fmt::format("\t.word {}{} + {:#x} - .\n", hyp_section_symbol, section, relocation.offset);
      continue;
    }
    if (is_position_independent(relocation.type)) continue;
    return fail(
        "{}: {}+{:#x}: {} against {} cannot be used at EL2, where the code runs at another address "
        "than it is linked for: only 64-bit pointers in data (R_AARCH64_ABS64) can be moved",
        el2.name(), section, relocation.offset, type_name(relocation.type),
        target_name(el2, relocation));
  }
  return source;
}

}  // namespace pkvmemu::build
