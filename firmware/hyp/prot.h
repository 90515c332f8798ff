// SPDX-License-Identifier: GPL-2.0-only
// enum kvm_pgtable_prot as the ABI has it (pkvm-abi.md 1.1), page states and owners (7.3).
#pragma once

#include <cstdint>

#include "hyp/status.h"
#include "pkvm/generation.h"

namespace pkvmemu::hyp {

/// Permission and memory type of a mapping. Values are ABI.
struct Prot {
  std::uint64_t value = 0;

  static constexpr std::uint64_t x = 0x1, w = 0x2, r = 0x4, device = 0x8, nc = 0x10, pxn = 0x20,
                                 uxn = 0x40;
  static constexpr std::uint64_t rwx_mask = x | w | r;

  constexpr auto operator<=>(const Prot&) const = default;
  constexpr bool has(std::uint64_t bits) const { return (value & bits) == bits; }
  constexpr bool any(std::uint64_t bits) const { return (value & bits) != 0; }
};

inline constexpr Prot prot_rw{Prot::r | Prot::w};
inline constexpr Prot prot_rx{Prot::r | Prot::x};
inline constexpr Prot prot_ro{Prot::r};
inline constexpr Prot prot_rwx{Prot::r | Prot::w | Prot::x};
inline constexpr Prot prot_device{Prot::r | Prot::w | Prot::device};

/// Where a page stands between its owner and a borrower; a value of host_state or PTE bits 56:55.
enum class PageState : std::uint8_t {
  owned = 0,
  shared_owned = 1,
  shared_borrowed = 2,
  tainted = 3,
  module_owned = 4,  ///< host memory whose permission a module took over
  no_page = 8,       ///< not the holder's at all
};

/// Component ids of 6.6 and 6.12; they stand in invalid PTEs.
enum class Owner : std::uint8_t { host = 0, hyp = 1, ffa = 2, guest = 3, is_protected = 4 };

/// What the generations answer differently when they move pages (pkvm-abi.md 7.6).
struct OwnershipRules {
  Errno pinned_unshare;         ///< unshare of a page that a module has pinned
  Errno not_memory_share;       ///< share or unshare of a page that is not RAM
  bool donation_takes_mmio;     ///< host_donate_hyp has no accept_mmio and takes both
  bool counts_references;       ///< -EINVAL for pages in use by DMA or pins
  bool out_of_memory_is_fatal;  ///< failures after the checks: WARN, or roll back and return
};

constexpr const OwnershipRules& ownership_rules(pkvm::Generation id) {
  constexpr static std::array<OwnershipRules, pkvm::generation_count> rows = {{
      {Errno::ebusy, Errno::eperm, true, false, true},
      {Errno::einval, Errno::eperm, false, true, true},
      {Errno::ebusy, Errno::einval, false, true, false},
  }};
  return rows[static_cast<std::size_t>(id)];
}

}  // namespace pkvmemu::hyp
