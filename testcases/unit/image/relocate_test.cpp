// SPDX-License-Identifier: GPL-2.0-only
// Each row of the relocation table against the algebra it stands for: what is stored can be decoded
// again by the instruction's own rules, and the range is exactly what the field holds.
#include "image/relocate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace pkvmemu::image {
namespace {

class Relocation : public testing::TestWithParam<RelocRow> {
 protected:
  std::uint64_t random() { return engine_(); }

  std::uint32_t seed_ = std::random_device{}();
  std::mt19937_64 engine_{seed_};
};

/// A move's opcode in the word: MOVN 0, MOVZ 2, MOVK 3.
constexpr unsigned movn = 0;

/// The number a field holds, as the architecture reads it back, before scaling.
std::uint64_t decode(const RelocRow& row, std::uint64_t word) {
  switch (row.field) {
    case RelocField::none:
      return 0;
    case RelocField::data16:
      return word & 0xffff;
    case RelocField::data32:
      return word & 0xffff'ffff;
    case RelocField::data64:
      return word;
    case RelocField::imm16:
      return (word >> 5) & 0xffff;
    case RelocField::imm16_signed: {
      const std::uint64_t immediate = (word >> 5) & 0xffff;
      return ((word >> 29) & 3) == movn ? ~immediate : immediate;
    }
    case RelocField::imm12:
      return (word >> 10) & 0xfff;
    case RelocField::imm14:
      return (word >> 5) & 0x3fff;
    case RelocField::imm19:
      return (word >> 5) & 0x7'ffff;
    case RelocField::imm26:
      return word & 0x3ff'ffff;
    case RelocField::adr:
      return ((word >> 29) & 3) | ((word >> 5) & 0x7'ffff) << 2;
  }
  return 0;
}

/// The bits of a word that the row may change.
std::uint64_t field_mask(const RelocRow& row) {
  switch (row.field) {
    case RelocField::none:
      return 0;
    case RelocField::data16:
      return 0xffff;
    case RelocField::data32:
      return 0xffff'ffff;
    case RelocField::data64:
      return ~std::uint64_t{0};
    case RelocField::imm16:
      return 0xffffULL << 5;
    case RelocField::imm16_signed:
      return 0xffffULL << 5 | 3ULL << 29;
    case RelocField::imm12:
      return 0xfffULL << 10;
    case RelocField::imm14:
      return 0x3fffULL << 5;
    case RelocField::imm19:
      return 0x7'ffffULL << 5;
    case RelocField::imm26:
      return 0x3ff'ffff;
    case RelocField::adr:
      return 3ULL << 29 | 0x7'ffffULL << 5;
  }
  return 0;
}

std::uint64_t word_mask(const RelocRow& row) {
  return low_mask(reloc_size(row) * 8);
}

// Random values in range come back from the field, and no bit outside it changes.
TEST_P(Relocation, StoresWhatTheInstructionReads) {
  const RelocRow row = GetParam();
  const RelocLimits limits = reloc_limits(row);
  for (int i = 0; i < 2000; ++i) {
    std::uniform_int_distribution<std::int64_t> values(limits.least, limits.greatest);
    const std::int64_t value = values(engine_);
    const std::uint64_t word = random() & word_mask(row);
    const std::uint64_t after = reloc_encode(row, word, value);
    const unsigned kept = row.field == RelocField::imm16_signed ? 16 : row.width;
    const std::uint64_t want = static_cast<std::uint64_t>(value >> row.shift) & low_mask(kept);
    ASSERT_EQ(decode(row, after) & low_mask(kept), want)
        << row.name << fmt::format(" value {:#x} word {:#x} seed {}", value, word, seed_);
    ASSERT_EQ((after ^ word) & ~field_mask(row), 0U)
        << row.name << fmt::format(" value {:#x} word {:#x} seed {}", value, word, seed_);
  }
}

// The range ends exactly where the field does: the extremes come back whole, one step beyond does
// not fit.
TEST_P(Relocation, RefusesWhatTheFieldCannotHold) {
  const RelocRow row = GetParam();
  const RelocLimits limits = reloc_limits(row);
  EXPECT_TRUE(reloc_fits(row, limits.least));
  EXPECT_TRUE(reloc_fits(row, limits.greatest));
  if (row.range == RelocRange::any) {
    EXPECT_TRUE(reloc_fits(row, INT64_MIN));
    EXPECT_TRUE(reloc_fits(row, INT64_MAX));
    return;
  }
  EXPECT_FALSE(reloc_fits(row, limits.least - 1));
  EXPECT_FALSE(reloc_fits(row, limits.greatest + 1));
  for (int i = 0; i < 200; ++i) {
    std::uniform_int_distribution<std::int64_t> above(limits.greatest + 1, INT64_MAX);
    std::uniform_int_distribution<std::int64_t> below(INT64_MIN, limits.least - 1);
    EXPECT_FALSE(reloc_fits(row, above(engine_))) << row.name << " seed " << seed_;
    EXPECT_FALSE(reloc_fits(row, below(engine_))) << row.name << " seed " << seed_;
  }
}

// A value in range is recovered whole from the field by sign or zero extension: the range rule and
// the field's width agree.
TEST_P(Relocation, ValuesInRangeLoseNothing) {
  const RelocRow row = GetParam();
  if (row.range == RelocRange::any) return;
  const RelocLimits limits = reloc_limits(row);
  for (int i = 0; i < 500; ++i) {
    std::uniform_int_distribution<std::int64_t> values(limits.least, limits.greatest);
    const std::int64_t scaled = values(engine_) >> row.shift;
    const std::uint64_t field = decode(row, reloc_encode(row, 0, scaled << row.shift));
    std::int64_t back = 0;
    if (row.field == RelocField::imm16_signed)
      back = static_cast<std::int64_t>(field);  // MOVN's complement is 64 bits wide
    else if (row.range == RelocRange::as_signed)
      back = sign_extend(field, row.width);
    else
      back = static_cast<std::int64_t>(field);
    ASSERT_EQ(back, scaled) << row.name << " seed " << seed_;
  }
}

// X is S + A, S + A - P or the distance of pages, as the row says.
TEST_P(Relocation, ComputesItsExpression) {
  const RelocRow row = GetParam();
  for (int i = 0; i < 500; ++i) {
    const std::uint64_t target = random();
    const std::uint64_t place = random();
    std::uint64_t want = 0;
    if (row.base == RelocBase::absolute) want = target;
    if (row.base == RelocBase::place) want = target - place;
    if (row.base == RelocBase::page) want = (target / 4096 - place / 4096) * 4096;
    ASSERT_EQ(static_cast<std::uint64_t>(reloc_value(row, target, place)), want)
        << row.name << " seed " << seed_;
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, Relocation, testing::ValuesIn(reloc_rows), [](const auto& info) {
  return std::string(info.param.name) + "_" + std::to_string(info.param.type);
});

// Every number is there once.
TEST(RelocationTable, NumbersAreUnique) {
  std::set<std::uint32_t> seen;
  for (const RelocRow& row : reloc_rows)
    EXPECT_TRUE(seen.insert(row.type).second) << row.name;
  EXPECT_EQ(find_reloc(311), nullptr) << "GOT relocations are not a module's";
}

// The kernel's choice for data: absolute ones unsigned, relative ones signed.
TEST(RelocationTable, DataRangesAreTheKernels) {
  EXPECT_TRUE(reloc_fits(*find_reloc(258), 0xffff'ffff));
  EXPECT_FALSE(reloc_fits(*find_reloc(258), -1));
  EXPECT_TRUE(reloc_fits(*find_reloc(261), -0x8000'0000LL));
  EXPECT_FALSE(reloc_fits(*find_reloc(261), 0x8000'0000LL));
}

// MOVZ becomes MOVN for a negative value, and the other way round.
TEST(RelocationTable, SignedMovesChooseTheirOpcode) {
  constexpr std::uint64_t movz_x0 = 0xd280'0000;
  constexpr std::uint64_t movn_x0 = 0x9280'0000;
  const RelocRow& row = *find_reloc(270);
  EXPECT_EQ(reloc_encode(row, movz_x0, -2), movn_x0 | 1U << 5);
  EXPECT_EQ(reloc_encode(row, movn_x0, 2), movz_x0 | 2U << 5);
}

}  // namespace
}  // namespace pkvmemu::image
