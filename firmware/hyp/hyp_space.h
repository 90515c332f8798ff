// SPDX-License-Identifier: GPL-2.0-only
// EL2's own stage 1: the linear alias of each page that the hypervisor owns or borrows, with the
// page's state in the software bits (pkvm-abi.md 7.1, 7.3), and the private range.
#pragma once

#include <optional>

#include "hyp/layout.h"
#include "hyp/memory_map.h"
#include "hyp/pgtable.h"
#include "lib/spinlock.h"
#include "pkvm/generation.h"

namespace pkvmemu::hyp {

class HypSpace {
 public:
  HypSpace(Layout layout, PageTable::Shape shape, PageSource& pages, pkvm::Generation generation);

  const Layout& layout() const { return layout_; }
  const LinearMap& linear() const { return linear_; }
  PageTable& table() { return table_; }
  fw::Spinlock& lock() { return lock_; }

  /// The linear alias of `range`.
  Status map_linear(PaRange range, Prot prot, PageState state);
  Status unmap_linear(PaRange range);
  /// Replaces the alias, page by page.
  Status remap_linear(PaRange range, Prot prot, PageState state);
  Leaf linear_leaf(Pa pa) const { return table_.leaf(linear_.hyp_va(pa).value); }
  /// no_page when nothing is mapped there.
  PageState linear_state(Pa pa) const;

  /// Page by page at a given address of the private range. The address is not checked, as in the
  /// kernel (pkvm-abi.md 3.3): it is rounded down to its page, the size up.
  Status map_at(HypVa va, Pa pa, std::uint64_t size, Prot prot);
  Status unmap_at(HypVa va, std::uint64_t size);
  bool is_mapped(HypVa va) const {
    return table_.covers({va.value, va.value + 1}) && is_valid(table_.leaf(va.value).descriptor);
  }

  /// Address space only; never given back (pkvm-abi.md 1.6).
  Expected<HypVa> take_va(std::uint64_t pages);
  /// Maps [pa, pa + size) somewhere private: the address of `pa` itself.
  Expected<HypVa> create_private_mapping(Pa pa, std::uint64_t size, Prot prot);
  HypVa cursor() const { return cursor_; }

  /// Maps host memory at its linear address for the time before finalisation, when all of it has
  /// to be undone again (pkvm-abi.md 1.6). Nothing for what is not page-aligned or not mapped.
  std::optional<HypVa> map_early(Pa pa, std::uint64_t size, Prot prot);
  void unmap_early(HypVa va, std::uint64_t size);
  std::uint64_t early_bytes() const { return early_bytes_; }

  /// The CPU's one-page window. A second map overwrites the first.
  HypVa fixmap_map(unsigned cpu, Pa pa);
  void fixmap_unmap(unsigned cpu);

  /// The 2 MiB window that all CPUs share: whoever mapped it has it until it is unmapped.
  HypVa fixblock_map(Pa pa);
  void fixblock_unmap();

 private:
  void map_window(HypVa va, std::uint64_t size, Pa pa);
  void unmap_window(HypVa va, std::uint64_t size);
  Status map_pages(HypVa va, Pa pa, std::uint64_t size, Prot prot, PageState state);

  Layout layout_;
  LinearMap linear_;
  PageTable table_;
  pkvm::Generation generation_;
  HypVa cursor_;
  std::uint64_t early_bytes_ = 0;
  fw::Spinlock lock_;
  fw::Spinlock block_lock_;
};

}  // namespace pkvmemu::hyp
