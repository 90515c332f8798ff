// SPDX-License-Identifier: GPL-2.0-only
// enum kvm_pgtable_prot as the ABI has it (pkvm-abi.md 1.1), page states and owners (7.3).
#pragma once

#include <array>
#include <cstddef>
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
  /// What host_stage2_mod_prot takes (pkvm-abi.md 1.7).
  static constexpr std::uint64_t settable = rwx_mask | device | nc | pxn | uxn;

  constexpr auto operator<=>(const Prot&) const = default;
  constexpr bool has(std::uint64_t bits) const { return (value & bits) == bits; }
  constexpr bool any(std::uint64_t bits) const { return (value & bits) != 0; }
};

inline constexpr Prot prot_rw{Prot::r | Prot::w};
inline constexpr Prot prot_rx{Prot::r | Prot::x};
inline constexpr Prot prot_ro{Prot::r};
inline constexpr Prot prot_rwx{Prot::r | Prot::w | Prot::x};
inline constexpr Prot prot_device{Prot::r | Prot::w | Prot::device};

/// Where a page stands between its owner and a borrower (pkvm-abi.md 7.3). The first four also
/// stand in PTE bits 56:55; the others are what a generation that keeps its states in the vmemmap
/// stores there, and what host_state() answers in any.
enum class PageState : std::uint8_t {
  owned = 0,
  shared_owned = 1,
  shared_borrowed = 2,
  tainted = 3,
  module_owned = 4,   ///< host memory whose permission a module took over
  no_page = 8,        ///< not the holder's at all
  module_taken = 12,  ///< both: a module took it from the host altogether
  restricted = 0x10,  ///< mapped with another permission than its kind's default
};

constexpr bool has_module_mark(PageState state) {
  return (static_cast<std::uint8_t>(state) & static_cast<std::uint8_t>(PageState::module_owned)) !=
         0;
}

/// Components that may own a page. Their numbers, which stand in invalid PTEs, differ: owner_id().
enum class Owner : std::uint8_t { host, hyp, guest, ffa, is_protected };
inline constexpr std::size_t owner_count = 5;
enum class OwnerId : std::uint8_t {};

/// What the generations answer differently when pages move (pkvm-abi.md 1.6, 1.7, 7.3, 7.6).
struct OwnershipRules {
  std::array<std::uint8_t, owner_count> owner_ids;
  bool state_in_tables;         ///< of RAM on the host's side: in its PTEs, else in the vmemmap
  bool returns_lazily;          ///< a page that comes back is mapped by the host's next access
  bool keeps_rest_of_blocks;    ///< what a cut block mapped besides stays mapped
  bool donation_takes_mmio;     ///< host_donate_hyp has no accept_mmio and takes both
  bool refuses_mixed_ranges;    ///< RAM and MMIO in one donation are -EINVAL
  bool counts_references;       ///< -EINVAL to share or donate pages in use by DMA or pins
  bool out_of_memory_is_fatal;  ///< failures after the checks: WARN, or roll back and return
  bool disabling_lazy_maps;     ///< host_stage2_disable_lazy_pte maps the range at once
  Errno pinned_unshare;         ///< unshare of a page that a module has pinned
  Errno not_memory_share;       ///< share or unshare of a page that is not RAM
  Errno not_memory_pin;         ///< the same for pins
  Errno overflow;               ///< a number of pages whose size is no 64-bit number
  Errno used_mod_prot;          ///< change of permission of a page in use; none: not looked at
  Errno used_lazy;              ///< the lazy pair on a page in use
};

constexpr const OwnershipRules& ownership_rules(pkvm::Generation id) {
  constexpr static std::array<OwnershipRules, pkvm::generation_count> rows = {{
      {.owner_ids = {0, 1, 2, 3, 4},
       .state_in_tables = true,
       .returns_lazily = true,
       .keeps_rest_of_blocks = false,
       .donation_takes_mmio = true,
       .refuses_mixed_ranges = false,
       .counts_references = false,
       .out_of_memory_is_fatal = true,
       .disabling_lazy_maps = false,
       .pinned_unshare = Errno::ebusy,
       .not_memory_share = Errno::eperm,
       .not_memory_pin = Errno::eperm,
       .overflow = Errno::eperm,
       .used_mod_prot = Errno::none,
       .used_lazy = Errno::none},
      {.owner_ids = {0, 1, 3, 2, 4},
       .state_in_tables = false,
       .returns_lazily = false,
       .keeps_rest_of_blocks = true,
       .donation_takes_mmio = false,
       .refuses_mixed_ranges = true,
       .counts_references = true,
       .out_of_memory_is_fatal = true,
       .disabling_lazy_maps = false,
       .pinned_unshare = Errno::einval,
       .not_memory_share = Errno::eperm,
       .not_memory_pin = Errno::eperm,
       .overflow = Errno::eperm,
       .used_mod_prot = Errno::none,
       .used_lazy = Errno::eperm},
      {.owner_ids = {0, 1, 3, 2, 4},
       .state_in_tables = false,
       .returns_lazily = false,
       .keeps_rest_of_blocks = true,
       .donation_takes_mmio = false,
       .refuses_mixed_ranges = true,
       .counts_references = true,
       .out_of_memory_is_fatal = false,
       .disabling_lazy_maps = true,
       .pinned_unshare = Errno::ebusy,
       .not_memory_share = Errno::einval,
       .not_memory_pin = Errno::einval,
       .overflow = Errno::einval,
       .used_mod_prot = Errno::einval,
       .used_lazy = Errno::einval},
  }};
  return rows[static_cast<std::size_t>(id)];
}

constexpr OwnerId owner_id(pkvm::Generation generation, Owner owner) {
  return OwnerId{ownership_rules(generation).owner_ids[static_cast<std::size_t>(owner)]};
}

}  // namespace pkvmemu::hyp
