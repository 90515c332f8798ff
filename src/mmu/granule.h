// SPDX-License-Identifier: GPL-2.0-only
// Shape of the translation tables for each granule: rows of data, the walkers have no granule of
// their own (Arm ARM D8.2).
#pragma once

#include <array>
#include <cstdint>

#include "support/bits.h"

namespace pkvmemu::mmu {

inline constexpr unsigned last_level = 3;
/// Arm ARM D8.2.3: without FEAT_LVA and FEAT_TTST an input address has 25 to 48 bits.
inline constexpr unsigned min_txsz = 16;
inline constexpr unsigned max_txsz = 39;
inline constexpr unsigned descriptor_address_bits = 48;
inline constexpr std::uint8_t no_level = 0xff;

struct Granule {
  std::uint8_t page_bits;                    ///< log2 of the page size
  std::uint8_t stride;                       ///< input bits that one full table resolves
  std::uint8_t first_block_level;            ///< blocks exist from here down to level 2
  std::array<std::uint8_t, 4> stage2_start;  ///< by VTCR_EL2.SL0
  std::uint8_t top_start_level;              ///< the start level that only large PA sizes may use,
  std::uint8_t top_start_pa_bits;            ///< and the PA size from which they may

  /// Input bits resolved below `level`: log2 of the size of what one descriptor there maps.
  [[nodiscard]] constexpr unsigned shift_at(unsigned level) const {
    return page_bits + (stride * (last_level - level));
  }
  /// Whether a descriptor at `level` can be a block (or, at the last level, a page).
  [[nodiscard]] constexpr bool has_leaf_at(unsigned level) const {
    return level >= first_block_level;
  }
};

inline constexpr Granule granule_4k{12, 9, 1, {2, 1, 0, no_level}, 0, 44};
inline constexpr Granule granule_16k{14, 11, 2, {3, 2, 1, no_level}, 1, 42};
inline constexpr Granule granule_64k{16, 13, 2, {3, 2, 1, no_level}, 1, 44};

/// TCR_ELx.TG0 and VTCR_EL2.TG0; 3 is reserved.
inline constexpr std::array<const Granule*, 4> granule_by_tg0{&granule_4k, &granule_64k,
                                                              &granule_16k, &granule_64k};
/// TCR_EL1.TG1; 0 is reserved.
inline constexpr std::array<const Granule*, 4> granule_by_tg1{&granule_4k, &granule_16k,
                                                              &granule_4k, &granule_64k};

/// Bits of an output address by TCR_ELx.{I}PS, VTCR_EL2.PS and PARange; 7 is reserved.
inline constexpr std::array<std::uint8_t, 8> address_bits_by_ps{32, 36, 40, 42, 44, 48, 52, 52};

}  // namespace pkvmemu::mmu
