// SPDX-License-Identifier: GPL-2.0-only
// Who owns which page, and the transitions between host and hypervisor (pkvm-abi.md 7.6). Every
// transition checks all pages first; a refused one has changed nothing. The state of RAM on the
// host's side stands in the vmemmap, of MMIO in the host's stage 2; the hypervisor's side in the
// software bits of its linear alias.
#pragma once

#include "hyp/host_stage2.h"
#include "hyp/hyp_space.h"
#include "hyp/vmemmap.h"
#include "pkvm/generation.h"

namespace pkvmemu::hyp {

enum class Accept : std::uint8_t { memory_only, memory_or_mmio };

class Ownership {
 public:
  Ownership(HostStage2& host, HypSpace& space, Vmemmap vmemmap, pkvm::Generation generation)
      : host_(&host), space_(&space), vmemmap_(vmemmap), rules_(&ownership_rules(generation)) {}

  Status host_share_hyp(std::uint64_t pfn);
  Status host_unshare_hyp(std::uint64_t pfn);
  Status host_donate_hyp(std::uint64_t pfn, std::uint64_t pages, Accept accept, Prot alias);
  Status hyp_donate_host(std::uint64_t pfn, std::uint64_t pages);

  /// [from, to) of linear hyp addresses, rounded out to pages.
  Status pin_shared(HypVa from, HypVa to);
  void unpin_shared(HypVa from, HypVa to);

  // For guests (vm/guest_memory.h), whose side is theirs to check and change. The caller holds the
  // host's lock.
  /// -EPERM unless all of the range is RAM that the host owns and may give away.
  Status check_host_owns(PaRange range) const;
  Status take_from_host(PaRange range, Owner owner);
  /// As the host's own, or as what a guest lends to it.
  Status give_to_host(PaRange range, PageState state);
  /// Memory that stays mapped for the host while an ordinary guest uses it.
  void set_shared_with_guest(PaRange range, PageState state) { set_host_state(range, state); }

  /// What __pkvm_init does with the hypervisor's own memory: no checks, the host has not run under
  /// stage 2 yet. `range` is already mapped at EL2.
  Status claim_for_hyp(PaRange range);

  PageState host_state(Pa pa) const;

 private:
  /// -EPERM unless every page of RAM is in `state` for the host, and free of other users.
  Status check_host_memory(PaRange range, PageState state) const;
  Status check_host_mmio(PaRange range) const;
  Status check_not_in_use(PaRange range, Errno answer) const;
  bool is_shareable_memory(Pa pa) const;
  static Expected<PaRange> range_of(std::uint64_t pfn, std::uint64_t pages);
  Status donate(PaRange range, Prot alias);
  /// After the checks only memory for tables can be missing: a WARN, or an answer, by generation.
  Status after_checks(Status status) const;
  void set_host_state(PaRange range, PageState state);
  PaRange pages_around(HypVa from, HypVa to) const;

  HostStage2* host_;
  HypSpace* space_;
  Vmemmap vmemmap_;
  const OwnershipRules* rules_;
};

}  // namespace pkvmemu::hyp
