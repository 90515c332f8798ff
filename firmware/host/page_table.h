// SPDX-License-Identifier: GPL-2.0-only
// Builds stage-1 tables in memory. Pure: it writes descriptors and leaves barriers and TLB
// maintenance to whoever owns the regime.
#pragma once

#include <cstdint>
#include <optional>

#include "host/descriptor.h"
#include "support/address.h"

namespace pkvmemu::host {

/// Where table pages come from and how this code reaches them.
class TableMemory {
 public:
  /// A zeroed page; nothing when there is none.
  virtual std::optional<Pa> take_table() = 0;
  virtual std::uint64_t* view(Pa table) = 0;

 protected:
  ~TableMemory() = default;
};

class PageTable {
 public:
  /// The largest leaf that map() may use.
  enum class Largest : std::uint8_t { block_1g = 1, block_2m = 2, page = 3 };

  struct Leaf {
    Pa pa;  ///< of the byte asked for
    Attributes attributes;
    unsigned level;
  };

  PageTable(Pa root, unsigned va_bits, TableMemory& memory)
      : memory_(&memory), root_(root), va_bits_(va_bits) {}

  Pa root() const { return root_; }

  /// Maps [va, va + size) to [pa, ...); all page-aligned. Replaces what page leaves were there;
  /// false when no table page could be had. A page inside an existing block is a bug.
  bool map(std::uint64_t va, Pa pa, std::uint64_t size, Attributes attributes, Largest largest);
  /// Removes page leaves; what is not mapped stays so.
  void unmap(std::uint64_t va, std::uint64_t size);
  std::optional<Leaf> find(std::uint64_t va) const;

 private:
  static constexpr unsigned last_level = 3;
  unsigned first_level() const { return va_bits_ > 39 ? 0 : 1; }
  static unsigned shift_of(unsigned level) { return 12 + 9 * (last_level - level); }
  std::uint64_t* entry(Pa table, std::uint64_t va, unsigned level) const;
  /// The entry for `va` at `level`, with the tables above made where absent.
  std::uint64_t* reach(std::uint64_t va, unsigned level);
  static unsigned leaf_level(std::uint64_t va, Pa pa, std::uint64_t size, Largest largest);

  TableMemory* memory_;
  Pa root_;
  unsigned va_bits_;
};

}  // namespace pkvmemu::host
