// SPDX-License-Identifier: GPL-2.0-only
// The arithmetic of AArch64 relocations (ELF for the Arm 64-bit Architecture, 5.7), for those that
// a kernel's module loader takes, with the overflow rules of that loader. Pure functions over rows
// of data; whoever applies them owns the memory. Freestanding.
//
// Two of the loader's rules are narrower than the ELF document's, and are kept: ABS32 and ABS16
// take unsigned values only, PREL32, PREL16 and PLT32 signed ones only. Alignment of scaled values
// is not checked, as there.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "support/bits.h"

namespace pkvmemu::image {

/// X in the ELF document: S is the symbol's address, A the addend, P the place.
enum class RelocBase : std::uint8_t {
  none,
  absolute,  ///< S + A
  place,     ///< S + A - P
  page,      ///< Page(S + A) - Page(P)
};

/// Where the value goes.
enum class RelocField : std::uint8_t {
  none,
  data16,
  data32,
  data64,
  imm16,         ///< MOVZ, MOVK: bits 20:5
  imm16_signed,  ///< bits 20:5 and the choice between MOVZ and MOVN
  imm12,         ///< bits 21:10
  imm14,         ///< bits 18:5
  imm19,         ///< bits 23:5
  imm26,         ///< bits 25:0
  adr,           ///< bits 30:29 the low two, 23:5 the rest
};

enum class RelocRange : std::uint8_t { any, as_signed, as_unsigned };

struct RelocRow {
  std::uint32_t type;
  std::string_view name;
  RelocBase base;
  RelocField field;
  std::uint8_t shift;  ///< X >> shift is what is stored
  std::uint8_t width;  ///< bits of it that are stored, and that the range rule allows
  RelocRange range;
};

// clang-format off
inline constexpr std::array reloc_rows = {
    RelocRow{0,   "R_AARCH64_NONE",                RelocBase::none,     RelocField::none,   0, 0, RelocRange::any},
    RelocRow{256, "R_AARCH64_NONE",                RelocBase::none,     RelocField::none,   0, 0, RelocRange::any},
    RelocRow{257, "R_AARCH64_ABS64",               RelocBase::absolute, RelocField::data64, 0, 64, RelocRange::any},
    RelocRow{258, "R_AARCH64_ABS32",               RelocBase::absolute, RelocField::data32, 0, 32, RelocRange::as_unsigned},
    RelocRow{259, "R_AARCH64_ABS16",               RelocBase::absolute, RelocField::data16, 0, 16, RelocRange::as_unsigned},
    RelocRow{260, "R_AARCH64_PREL64",              RelocBase::place,    RelocField::data64, 0, 64, RelocRange::any},
    RelocRow{261, "R_AARCH64_PREL32",              RelocBase::place,    RelocField::data32, 0, 32, RelocRange::as_signed},
    RelocRow{262, "R_AARCH64_PREL16",              RelocBase::place,    RelocField::data16, 0, 16, RelocRange::as_signed},
    RelocRow{314, "R_AARCH64_PLT32",               RelocBase::place,    RelocField::data32, 0, 32, RelocRange::as_signed},

    RelocRow{263, "R_AARCH64_MOVW_UABS_G0",        RelocBase::absolute, RelocField::imm16, 0,  16, RelocRange::as_unsigned},
    RelocRow{264, "R_AARCH64_MOVW_UABS_G0_NC",     RelocBase::absolute, RelocField::imm16, 0,  16, RelocRange::any},
    RelocRow{265, "R_AARCH64_MOVW_UABS_G1",        RelocBase::absolute, RelocField::imm16, 16, 16, RelocRange::as_unsigned},
    RelocRow{266, "R_AARCH64_MOVW_UABS_G1_NC",     RelocBase::absolute, RelocField::imm16, 16, 16, RelocRange::any},
    RelocRow{267, "R_AARCH64_MOVW_UABS_G2",        RelocBase::absolute, RelocField::imm16, 32, 16, RelocRange::as_unsigned},
    RelocRow{268, "R_AARCH64_MOVW_UABS_G2_NC",     RelocBase::absolute, RelocField::imm16, 32, 16, RelocRange::any},
    RelocRow{269, "R_AARCH64_MOVW_UABS_G3",        RelocBase::absolute, RelocField::imm16, 48, 16, RelocRange::any},
    RelocRow{270, "R_AARCH64_MOVW_SABS_G0",        RelocBase::absolute, RelocField::imm16_signed, 0,  17, RelocRange::as_signed},
    RelocRow{271, "R_AARCH64_MOVW_SABS_G1",        RelocBase::absolute, RelocField::imm16_signed, 16, 17, RelocRange::as_signed},
    RelocRow{272, "R_AARCH64_MOVW_SABS_G2",        RelocBase::absolute, RelocField::imm16_signed, 32, 17, RelocRange::as_signed},
    RelocRow{287, "R_AARCH64_MOVW_PREL_G0",        RelocBase::place,    RelocField::imm16_signed, 0,  17, RelocRange::as_signed},
    RelocRow{288, "R_AARCH64_MOVW_PREL_G0_NC",     RelocBase::place,    RelocField::imm16, 0,  16, RelocRange::any},
    RelocRow{289, "R_AARCH64_MOVW_PREL_G1",        RelocBase::place,    RelocField::imm16_signed, 16, 17, RelocRange::as_signed},
    RelocRow{290, "R_AARCH64_MOVW_PREL_G1_NC",     RelocBase::place,    RelocField::imm16, 16, 16, RelocRange::any},
    RelocRow{291, "R_AARCH64_MOVW_PREL_G2",        RelocBase::place,    RelocField::imm16_signed, 32, 17, RelocRange::as_signed},
    RelocRow{292, "R_AARCH64_MOVW_PREL_G2_NC",     RelocBase::place,    RelocField::imm16, 32, 16, RelocRange::any},
    RelocRow{293, "R_AARCH64_MOVW_PREL_G3",        RelocBase::place,    RelocField::imm16_signed, 48, 17, RelocRange::any},

    RelocRow{273, "R_AARCH64_LD_PREL_LO19",        RelocBase::place,    RelocField::imm19, 2,  19, RelocRange::as_signed},
    RelocRow{274, "R_AARCH64_ADR_PREL_LO21",       RelocBase::place,    RelocField::adr,   0,  21, RelocRange::as_signed},
    RelocRow{275, "R_AARCH64_ADR_PREL_PG_HI21",    RelocBase::page,     RelocField::adr,   12, 21, RelocRange::as_signed},
    RelocRow{276, "R_AARCH64_ADR_PREL_PG_HI21_NC", RelocBase::page,     RelocField::adr,   12, 21, RelocRange::any},
    RelocRow{277, "R_AARCH64_ADD_ABS_LO12_NC",     RelocBase::absolute, RelocField::imm12, 0,  12, RelocRange::any},
    RelocRow{278, "R_AARCH64_LDST8_ABS_LO12_NC",   RelocBase::absolute, RelocField::imm12, 0,  12, RelocRange::any},
    RelocRow{284, "R_AARCH64_LDST16_ABS_LO12_NC",  RelocBase::absolute, RelocField::imm12, 1,  11, RelocRange::any},
    RelocRow{285, "R_AARCH64_LDST32_ABS_LO12_NC",  RelocBase::absolute, RelocField::imm12, 2,  10, RelocRange::any},
    RelocRow{286, "R_AARCH64_LDST64_ABS_LO12_NC",  RelocBase::absolute, RelocField::imm12, 3,  9,  RelocRange::any},
    RelocRow{299, "R_AARCH64_LDST128_ABS_LO12_NC", RelocBase::absolute, RelocField::imm12, 4,  8,  RelocRange::any},
    RelocRow{279, "R_AARCH64_TSTBR14",             RelocBase::place,    RelocField::imm14, 2,  14, RelocRange::as_signed},
    RelocRow{280, "R_AARCH64_CONDBR19",            RelocBase::place,    RelocField::imm19, 2,  19, RelocRange::as_signed},
    RelocRow{282, "R_AARCH64_JUMP26",              RelocBase::place,    RelocField::imm26, 2,  26, RelocRange::as_signed},
    RelocRow{283, "R_AARCH64_CALL26",              RelocBase::place,    RelocField::imm26, 2,  26, RelocRange::as_signed},
};
// clang-format on

inline constexpr std::uint32_t reloc_abs64 = 257;
inline constexpr std::uint32_t reloc_jump26 = 282;
inline constexpr std::uint32_t reloc_call26 = 283;

constexpr const RelocRow* find_reloc(std::uint32_t type) {
  for (const RelocRow& row : reloc_rows)
    if (row.type == type) return &row;
  return nullptr;
}

/// Bytes at the place that the relocation reads and writes.
constexpr unsigned reloc_size(const RelocRow& row) {
  switch (row.field) {
    case RelocField::none:
      return 0;
    case RelocField::data16:
      return 2;
    case RelocField::data64:
      return 8;
    default:
      return 4;
  }
}

/// X, from `target` = S + A and the address of the place.
constexpr std::int64_t reloc_value(const RelocRow& row, std::uint64_t target, std::uint64_t place) {
  constexpr std::uint64_t page = 4096;
  switch (row.base) {
    case RelocBase::none:
      return 0;
    case RelocBase::absolute:
      return static_cast<std::int64_t>(target);
    case RelocBase::place:
      return static_cast<std::int64_t>(target - place);
    case RelocBase::page:
      return static_cast<std::int64_t>(align_down(target, page) - align_down(place, page));
  }
  return 0;
}

/// The least and the greatest X that the row takes.
struct RelocLimits {
  std::int64_t least;
  std::int64_t greatest;
};

constexpr RelocLimits reloc_limits(const RelocRow& row) {
  constexpr std::int64_t lowest = INT64_MIN;
  const unsigned top = row.shift + row.width;
  switch (row.range) {
    case RelocRange::any:
      break;
    case RelocRange::as_unsigned:
      if (top < 64) return {0, static_cast<std::int64_t>(low_mask(top))};
      break;
    case RelocRange::as_signed:
      if (top < 65) {
        const auto greatest = static_cast<std::int64_t>(low_mask(top - 1));
        return {-greatest - 1, greatest};
      }
      break;
  }
  return {lowest, INT64_MAX};
}

constexpr bool reloc_fits(const RelocRow& row, std::int64_t value) {
  const RelocLimits limits = reloc_limits(row);
  return value >= limits.least && value <= limits.greatest;
}

/// MOVZ for a value from 0 up; MOVN, which stores the complement, for a negative one.
constexpr std::uint64_t encode_signed_move(std::uint64_t word, std::int64_t value, unsigned shift) {
  constexpr std::uint64_t opcode = 3U << 29;
  constexpr std::uint64_t movz = 2U << 29;
  const std::int64_t shifted = value >> shift;
  const auto immediate = static_cast<std::uint64_t>(value < 0 ? ~shifted : shifted);
  const std::uint64_t kept = word & ~opcode & ~(low_mask(16) << 5);
  return kept | (value < 0 ? 0 : movz) | bits(immediate, 15, 0) << 5;
}

/// What the place holds after the relocation; `word` is what it held before.
constexpr std::uint64_t reloc_encode(const RelocRow& row, std::uint64_t word, std::int64_t value) {
  const auto stored = static_cast<std::uint64_t>(value >> row.shift) & low_mask(row.width);
  const auto insert = [word, stored](unsigned width, unsigned at) {
    return (word & ~(low_mask(width) << at)) | stored << at;
  };
  switch (row.field) {
    case RelocField::none:
      return word;
    case RelocField::data16:
    case RelocField::data32:
    case RelocField::data64:
      return stored;
    case RelocField::imm16:
      return insert(16, 5);
    case RelocField::imm16_signed:
      return encode_signed_move(word, value, row.shift);
    case RelocField::imm12:
      return insert(12, 10);
    case RelocField::imm14:
      return insert(14, 5);
    case RelocField::imm19:
      return insert(19, 5);
    case RelocField::imm26:
      return insert(26, 0);
    case RelocField::adr:
      return (word & ~(low_mask(2) << 29) & ~(low_mask(19) << 5)) | bits(stored, 1, 0) << 29 |
             bits(stored, 20, 2) << 5;
  }
  return word;
}

}  // namespace pkvmemu::image
