// SPDX-License-Identifier: GPL-2.0-only
// struct hyp_page, one for each page frame (pkvm-abi.md 7.2, 4 bytes as in 6.1 and 6.6).
#pragma once

#include <cstdint>

#include "hyp/prot.h"
#include "support/address.h"

namespace pkvmemu::hyp {

struct HypPage {
  std::uint16_t refcount;
  std::uint8_t order;
  /// From 6.6 on the host's state of the page; in 6.1 flags, of which bit 0 says module-owned.
  PageState host_state;

  static constexpr PageState module_flag{1};
};
static_assert(sizeof(HypPage) == 4);

/// The array indexed by frame number. Only what covers RAM is backed: callers look up the memory
/// map first.
class Vmemmap {
 public:
  constexpr Vmemmap() = default;
  constexpr explicit Vmemmap(HypPage* base) : base_(base) {}

  HypPage& page(Pa pa) const { return base_[pfn_of(pa).value]; }

 private:
  HypPage* base_ = nullptr;
};

}  // namespace pkvmemu::hyp
