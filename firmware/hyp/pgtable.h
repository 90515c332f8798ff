// SPDX-License-Identifier: GPL-2.0-only
// The page-table editor: one class for both formats that EL2 writes. It knows levels, tables and
// break-before-make (Arm ARM D8.16); what attributes mean is descriptor.h's business, when to flush
// what is the owner's (through the Flush hook), and locking is the caller's.
#pragma once

#include <cstdint>

#include "hyp/descriptor.h"
#include "hyp/page_source.h"
#include "hyp/status.h"

namespace pkvmemu::hyp {

/// Input addresses of a table, whatever regime: Va or Ipa has been taken apart by the caller.
struct InputRange {
  std::uint64_t begin;
  std::uint64_t end;
};

/// Where a walk ended: a leaf, an annotation, or nothing.
struct Leaf {
  Descriptor descriptor;
  unsigned level;
};

enum class Blocks : std::uint8_t { allowed, pages_only };
/// What becomes of the rest of a block when a part of it changes.
enum class Split : std::uint8_t {
  keeps_rest,
  drops_rest,  ///< for owners whose leaves come back by faults
};

class PageTable {
 public:
  /// Makes the TLBs forget one page of this table's regime; called between break and make and
  /// after removal.
  using Flush = void (*)(std::uint64_t input);

  struct Shape {
    Pa root;
    unsigned start_level;
    unsigned input_bits;  ///< size of the input address space; the root may be concatenated
    Split split = Split::keeps_rest;
  };

  constexpr PageTable() = default;
  constexpr PageTable(Shape shape, PageSource& pages, Flush flush)
      : shape_(shape), pages_(&pages), flush_(flush) {}

  /// Table pages come from, and return to, `pages` from now on.
  void use_pages(PageSource& pages) { pages_ = &pages; }

  /// Maps [begin, end) to `pa` with the given leaf attributes. Over an identical leaf nothing
  /// happens. Over a different valid leaf: -EAGAIN, and what was mapped before stays mapped.
  Status map(InputRange range, Pa pa, std::uint64_t attributes, Blocks blocks);

  /// Makes each page of the range `entry`, which is invalid: an annotation or nothing. Blocks that
  /// are cut are split first; empty tables return to the pool.
  Status set_invalid(InputRange range, Descriptor entry);

  /// As map, but replaces whatever leaf or annotation stands there.
  Status remap(InputRange range, Pa pa, std::uint64_t attributes, Blocks blocks);

  /// Makes each page of the range an empty entry of a last-level table and holds that table, once
  /// for each page, so that it stays when it is empty and later leaves are pages. Failing for want
  /// of tables changes nothing that a walk finds.
  Status empty_and_hold(InputRange range);
  /// Takes as many holds back.
  void let_go(InputRange range);

  Leaf leaf(std::uint64_t input) const;
  /// -ERANGE when the address lies outside the table's input space.
  bool covers(InputRange range) const;

  const Shape& shape() const { return shape_; }
  /// Tables in use below the root.
  std::uint64_t table_count() const;

 private:
  struct Edit;
  std::uint64_t* root_slot(std::uint64_t input) const;
  std::uint64_t* slot(Pa table, std::uint64_t input, unsigned level) const;
  Status edit(std::uint64_t* entry, unsigned level, InputRange range, const Edit& what);
  Status edit_table(Pa table, unsigned level, InputRange range, const Edit& what);
  Status edit_all(InputRange range, const Edit& what);
  Status write_leaf(std::uint64_t* entry, unsigned level, std::uint64_t input, const Edit& what);
  Status make_table(std::uint64_t* entry, unsigned level, std::uint64_t input);
  void replace(std::uint64_t* entry, std::uint64_t input, Descriptor with);
  void free_if_empty(std::uint64_t* entry, std::uint64_t input);
  Expected<Pa> make_last_table(std::uint64_t input);
  void free_tables(Pa table, unsigned level);
  std::uint64_t count_tables(Pa table, unsigned level) const;

  Shape shape_{};
  PageSource* pages_ = nullptr;
  Flush flush_ = nullptr;
  std::uint64_t holds_ = 0;
};

}  // namespace pkvmemu::hyp
