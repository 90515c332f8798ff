// SPDX-License-Identifier: GPL-2.0-only
// The hypervisor's end of the trace buffer (pkvm/trace.h; pkvm-abi.md 1.6, tracing_*): pages that
// the host shares, filled in turn. One writer at a time, as a CPU's entries do not nest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "hyp/ownership.h"
#include "hyp/status.h"
#include "pkvm/trace.h"

namespace pkvmemu::hyp {

class TraceRing {
 public:
  /// -EBUSY when there is a buffer, -EINVAL for a descriptor that cannot be one, what pinning
  /// answers for pages that are not shared.
  Status load(const pkvm::trace::Descriptor& descriptor, Ownership& ownership,
              const LinearMap& linear);
  /// Gives the pages back, as the host shared them.
  void teardown(Ownership& ownership, const LinearMap& linear);
  /// -EINVAL without a buffer.
  Status enable(bool on);

  /// Room for `size` bytes: null while there is no enabled buffer, and for more than a page holds.
  std::byte* reserve(std::uint64_t size);
  /// What was written into the last room counts from now on.
  void commit();

  /// The oldest page with entries, which is the host's until the next call; -ENOENT for none.
  Expected<std::uint64_t> swap_reader();
  /// Forgets what was not read.
  void reset();

 private:
  using Index = std::uint8_t;
  static constexpr Index none = 0xFF;

  struct Page;
  /// What the host reads from a page's header, kept where it cannot write it.
  struct Filling {
    std::uint32_t used = 0;
    std::uint32_t entries = 0;
    std::uint32_t lost = 0;
  };
  Page& page(Index index) const { return *pages_[index]; }
  void start_page();
  void publish(Index index) const;
  std::optional<Index> take_filled();

  std::array<Page*, pkvm::trace::max_pages> pages_{};
  std::array<Filling, pkvm::trace::max_pages> filling_{};
  std::size_t page_count_ = 0;
  /// Pages with entries, oldest first, from filled_begin_ on; and those without.
  std::array<Index, pkvm::trace::max_pages> filled_{};
  std::size_t filled_count_ = 0;
  std::array<Index, pkvm::trace::max_pages> free_{};
  std::size_t free_count_ = 0;
  Index writing_ = none;
  Index reading_ = none;
  std::uint32_t reserved_ = 0;  ///< payload of the entry being written, 0 for none
  bool enabled_ = false;
};

}  // namespace pkvmemu::hyp
