// SPDX-License-Identifier: GPL-2.0-only
// The descent through the tables that both stages share (internal to src/mmu): from a base and an
// input address to a leaf descriptor. What the leaf allows is each stage's own business.
#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>

#include "mmu/fault.h"
#include "mmu/granule.h"
#include "mmu/table_reader.h"
#include "support/bits.h"

namespace pkvmemu::mmu {

/// One walk's parameters, decoded from TCR and TTBR. Addresses are plain numbers here: in stage 1
/// of EL1&0 they are intermediate, elsewhere physical; the fetch function knows which.
struct TableWalk {
  const Granule* granule = &granule_4k;
  unsigned input_bits = 48;
  unsigned output_bits = 48;
  unsigned start_level = 0;
  std::uint64_t base = 0;  ///< TTBR as written; only its address bits count
  Stage stage = Stage::one;
};

/// Limits that table descriptors put on everything below them (stage 1 only), OR-ed on the way
/// down.
struct TableLimits {
  bool no_unprivileged = false;  ///< APTable[0]
  bool read_only = false;        ///< APTable[1]
  bool uxn = false;              ///< UXNTable; XNTable in EL2
  bool pxn = false;              ///< PXNTable
};

struct Leaf {
  Descriptor descriptor = 0;
  std::uint64_t output = 0;
  unsigned level = last_level;
  std::uint64_t size = 0;
  TableLimits limits;
};

constexpr Fault fault_of(Stage stage, FaultType type, unsigned level) {
  return {.type = type, .level = static_cast<std::uint8_t>(level), .stage = stage};
}

/// The output size that a PS field grants on a CPU with `pa_bits`.
constexpr unsigned output_bits_for(std::uint64_t ps, unsigned pa_bits) {
  return std::min<unsigned>(address_bits_by_ps[ps & 7], pa_bits);
}

/// TableLimits added by one table descriptor.
constexpr TableLimits add_limits(TableLimits limits, Descriptor table) {
  limits.pxn |= test_bit(table, 59);
  limits.uxn |= test_bit(table, 60);
  limits.no_unprivileged |= test_bit(table, 61);
  limits.read_only |= test_bit(table, 62);
  return limits;
}

/// `fetch(address, level)` reads the descriptor at a table address: expected<Descriptor, Fault>. It
/// reports its own faults in full; the level is there for external aborts.
template <typename Fetch>
std::expected<Leaf, Fault> walk_tables(const TableWalk& walk, std::uint64_t input,
                                       const Fetch& fetch) {
  const Granule& granule = *walk.granule;
  const std::uint64_t address_field =
      low_mask(descriptor_address_bits) & ~low_mask(granule.page_bits);
  unsigned level = walk.start_level;
  unsigned index_bits = walk.input_bits - granule.shift_at(level);
  std::uint64_t table = walk.base & low_mask(descriptor_address_bits) & ~low_mask(index_bits + 3);
  if (table >> walk.output_bits != 0)
    return std::unexpected(fault_of(walk.stage, FaultType::address_size, 0));

  TableLimits limits;
  for (;; ++level) {
    const unsigned shift = granule.shift_at(level);
    const std::uint64_t index = (input >> shift) & low_mask(index_bits);
    const auto descriptor = fetch(table + (index * sizeof(Descriptor)), level);
    if (!descriptor) return std::unexpected(descriptor.error());

    const bool is_table = test_bit(*descriptor, 1) && level < last_level;
    const bool is_leaf = test_bit(*descriptor, 1) == (level == last_level);
    if (!test_bit(*descriptor, 0) || (is_leaf && !granule.has_leaf_at(level)) ||
        (!is_table && !is_leaf))
      return std::unexpected(fault_of(walk.stage, FaultType::translation, level));

    const std::uint64_t address = *descriptor & address_field;
    if (address >> walk.output_bits != 0)
      return std::unexpected(fault_of(walk.stage, FaultType::address_size, level));
    if (is_leaf)
      return Leaf{.descriptor = *descriptor,
                  .output = (address & ~low_mask(shift)) | (input & low_mask(shift)),
                  .level = level,
                  .size = bit(shift),
                  .limits = limits};
    limits = add_limits(limits, *descriptor);
    table = address;
    index_bits = granule.stride;
  }
}

}  // namespace pkvmemu::mmu
