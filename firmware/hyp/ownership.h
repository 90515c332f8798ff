// SPDX-License-Identifier: GPL-2.0-only
// Who owns which page, and the transitions between host and hypervisor (pkvm-abi.md 1.6, 1.7, 7.6).
// Every transition checks all pages first; a refused one has changed nothing. The state of RAM on
// the host's side stands in the vmemmap, in 6.1 and of MMIO in the host's stage 2; the hypervisor's
// side in the software bits of its linear alias. ownership.cpp has the transitions of pages,
// ownership_modules.cpp what modules do to pages of the host, ownership_dma.cpp what devices do.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "hyp/host_stage2.h"
#include "hyp/hyp_space.h"
#include "hyp/vmemmap.h"
#include "pkvm/generation.h"

namespace pkvmemu::hyp {

enum class Accept : std::uint8_t { memory_only, memory_or_mmio };
/// Whether an IOMMU driver's identity domain hears of a change of permission (1.7).
enum class UpdateIommu : std::uint8_t { no, yes };
/// Whose pages a device has reached.
enum class DmaUser : std::uint8_t { host, guest };

/// 2^order pages of a list that host_donate_sglist_hyp takes.
struct PageBlock {
  std::uint64_t pfn;
  unsigned order;
};

/// struct pkvm_sglist_page[] (pkvm-abi.md 1.1): packed, a frame number of 40 bits and an order.
class PageBlockList {
 public:
  static constexpr std::size_t entry_size = 6;
  constexpr explicit PageBlockList(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  constexpr std::size_t size() const { return bytes_.size() / entry_size; }
  constexpr PageBlock operator[](std::size_t index) const {
    const std::span<const std::uint8_t> entry = bytes_.subspan(index * entry_size, entry_size);
    PageBlock block{.pfn = 0, .order = entry.back()};
    for (std::size_t i = entry_size - 1; i-- > 0;)
      block.pfn = block.pfn << 8 | entry[i];
    return block;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

class Ownership {
 public:
  Ownership(HostStage2& host, HypSpace& space, Vmemmap vmemmap, pkvm::Generation generation)
      : host_(&host), space_(&space), vmemmap_(vmemmap), rules_(&ownership_rules(generation)) {}

  Status host_share_hyp(std::uint64_t pfn);
  Status host_unshare_hyp(std::uint64_t pfn);
  Status host_donate_hyp(std::uint64_t pfn, std::uint64_t pages, Accept accept, Prot alias);
  Status hyp_donate_host(std::uint64_t pfn, std::uint64_t pages);

  /// All of the list or none of it (6.12).
  Status host_donate_list(PageBlockList list);
  /// The first block of it that is not the host's to give; the first of all when each is.
  Pa refused_block(PageBlockList list);

  /// The host's permission of `pages` pages, which become the caller's to restore (1.7).
  Status host_mod_prot(std::uint64_t pfn, Prot prot, std::uint64_t pages,
                       UpdateIommu update = UpdateIommu::no);
  /// From 6.6 on: the host maps the range anew by faults, page by page, until disabled.
  Status host_enable_lazy(std::uint64_t pfn, std::uint64_t pages);
  Status host_disable_lazy(std::uint64_t pfn, std::uint64_t pages);
  /// What stands in the host's table for `pa`.
  Expected<Leaf> host_leaf(Pa pa);

  /// [from, to) of linear hyp addresses, rounded out to pages.
  Status pin_shared(HypVa from, HypVa to);
  /// The first page that was not pinned: its count is wrong from then on, as in the kernel.
  std::optional<Pa> unpin_shared(HypVa from, HypVa to);

  // Memory that the secure world shares by FF-A (7.6); with whom a page is shared is not noted.
  Status host_share_ffa(std::uint64_t pfn, std::uint64_t pages);
  Status host_unshare_ffa(std::uint64_t pfn, std::uint64_t pages);

  // Pages that devices reach (7.6, ownership_dma.cpp). RAM counts how often, and cannot move
  // meanwhile; MMIO is marked for good.
  Status host_use_dma(PaRange range);
  /// -EPERM for what is not the user's, -EINVAL for RAM that no device uses.
  Status unuse_dma(PaRange range, DmaUser user);
  /// What the host may reach, told to `mirror` under the host's lock.
  void replay_host(HostMirror& mirror) {
    const fw::LockGuard guard(host_->lock());
    host_->replay(mirror);
  }

  // For guests (vm/guest_memory.h), whose side is theirs to check and change. The caller holds the
  // host's lock.
  /// -EPERM unless all of the range is RAM that the host owns and may give away.
  Status check_host_gives(PaRange range) const;
  Status take_from_host(PaRange range, Owner owner);
  /// After the checks only memory for tables can be missing: a WARN, or an answer, by generation
  /// (pkvm-abi.md 7.6).
  Status after_checks(Status status) const;
  /// As what a guest lends to the host.
  Status lend_to_host(PaRange range);
  /// A guest's page becomes the host's own.
  Status return_to_host(PaRange range);
  /// Memory that stays mapped for the host while an ordinary guest uses it.
  Status set_shared_with_guest(PaRange range, PageState state) {
    return after_checks(set_host_state(range, state));
  }

  /// What __pkvm_init does with the hypervisor's own memory: no checks, the host has not run under
  /// stage 2 yet. `range` is already mapped at EL2.
  Status claim_for_hyp(PaRange range);

  PageState host_state(Pa pa) const;

 private:
  /// -EPERM unless every page is in `state` for the host.
  Status check_host_memory(PaRange range, PageState state) const;
  /// The host may give every page away: its own and, of RAM, in nobody's use.
  Status check_host_owned(PaRange range) const;
  Status check_module_owned(PaRange range) const;
  /// Errno::none: nobody looks.
  Status check_not_in_use(PaRange range, Errno answer) const;
  Status check_mod_prot(PaRange range) const;
  Status check_dma_use(Pa page) const;
  Status check_dma_unuse(Pa page, DmaUser user) const;
  bool is_guests(Pa page) const;
  Status check_block(PageBlock block) const;
  Expected<PaRange> check_lazy(std::uint64_t pfn, std::uint64_t pages) const;
  Expected<PaRange> range_of(std::uint64_t pfn, std::uint64_t pages) const;
  static PaRange range_of(PageBlock block);
  Status donate(PaRange range, Prot alias);
  Status give_to_host(PaRange range);
  void undo_donation(PaRange range);
  /// Of RAM, where the generation keeps it. It may take a table where that is in tables.
  Status set_host_state(PaRange range, PageState state);
  void mark_host_state(PaRange range, PageState state);
  PaRange pages_around(HypVa from, HypVa to) const;

  HostStage2* host_;
  HypSpace* space_;
  Vmemmap vmemmap_;
  const OwnershipRules* rules_;
};

}  // namespace pkvmemu::hyp
