// SPDX-License-Identifier: GPL-2.0-only
// Random registers, tables and addresses for the oracle test. Purely random tables fault in their
// first entry, so each address gets a path planted for it: tables down to a random level, there a
// leaf that is right in most cases and wrong in all the ways there are. Paths share tables and
// spoil each other, which is welcome: nobody expects anything of a path.
//
// RES0 address bits of blocks stay zero: Unicorn ORs them into the output (our rule for them has
// its own test). So tables of different granules and levels never share memory, and the place of a
// descriptor tells its stage and level.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <span>

#include "at_engine.h"
#include "mmu/granule.h"
#include "mmu/translate.h"

namespace pkvmemu::mmu {

struct Registers {
  El1Regime el1;
  El2Regime el2;
};

class RandomTables {
 public:
  RandomTables(std::uint64_t seed, std::span<std::uint64_t> tables)
      : random_(seed), tables_(tables) {}

  /// New registers; the tables stay what they are.
  void next_registers();
  [[nodiscard]] const Registers& registers() const { return registers_; }
  /// A random instruction and address, with a path planted for it.
  AtRecord next_case();

 private:
  /// How one half or stage walks, as far as planting needs it.
  struct Shape {
    const Granule* granule = &granule_4k;
    unsigned input_bits = 0;
    unsigned start_level = 0;
    std::uint64_t root = 0;  ///< physical
    Stage stage = Stage::one;
    bool through_stage2 = false;

    [[nodiscard]] unsigned index_bits() const {
      return input_bits - granule->shift_at(start_level);
    }
  };

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool chance(unsigned percent) { return below(100) < percent; }
  /// `value` shifted to `position` with the given probability, else 0.
  std::uint64_t maybe(unsigned percent, unsigned position) {
    return chance(percent) ? bit(position) : 0;
  }

  Shape stage1_shape(unsigned root_number);
  Shape stage2_shape();
  std::uint64_t txsz_of(const Shape& shape);
  std::uint64_t sl0_of(const Shape& shape);
  std::uint64_t root_of(const Shape& shape);
  std::uint64_t tg_of(const Shape& shape, const std::array<const Granule*, 4>& granule_by_tg);
  void randomise_el1();
  void randomise_el2();
  void randomise_stage2();

  std::uint64_t random_va(const Shape& shape, bool high_half);
  std::uint64_t random_physical(unsigned shift);
  std::uint64_t random_output(const Shape& shape, unsigned shift);
  unsigned random_leaf_level(const Shape& shape);
  Descriptor stage1_leaf_bits();
  Descriptor stage2_leaf_bits(unsigned fault_percent);
  Descriptor random_table(const Shape& shape, unsigned level);
  Descriptor* entry_at(std::uint64_t pa);
  Descriptor* descend(const Shape& shape, std::uint64_t input, unsigned leaf_level);
  void plant_stage1(const Shape& shape, std::uint64_t va);
  void plant_stage2(std::uint64_t ipa);
  void show_table(std::uint64_t pa);

  std::mt19937_64 random_;
  std::span<std::uint64_t> tables_;
  Registers registers_;
  Shape low_, high_, el2_, stage2_;
  unsigned ipa_bits_ = 32;         ///< what stage 1 may put out and stage 2 take in
  std::uint64_t table_ipa_ = 0;    ///< where stage 2 shows the tables region
  unsigned table_leaf_level_ = 3;  ///< and with leaves of which level
};

}  // namespace pkvmemu::mmu
