// SPDX-License-Identifier: GPL-2.0-only
// The pages of one VM's stage-2 tables: donated by the host through memcaches (pkvm-abi.md 7.8),
// kept here while no table needs them, and given back when the VM is torn down.
#pragma once

#include <cstdint>

#include "hyp/ownership.h"
#include "hyp/page_source.h"
#include "pkvm/vm.h"

namespace pkvmemu::hyp {

class GuestPool final : public PageSource {
 public:
  constexpr explicit GuestPool(LinearMap map) : PageSource(map) {}

  /// Takes pages of a memcache over from the host until `wanted` are free, or it has no more; one
  /// that cannot be donated ends it and stays at the head.
  Status refill(pkvm::Memcache& from, std::uint64_t wanted, Ownership& ownership);

  Expected<Pa> take_page() override;
  void give_back(Pa page) override;
  /// Nothing of a guest's tables is ever held.
  void hold(Pa /*page*/) override { arch::bug(); }
  void let_go(Pa /*page*/) override {}
  bool is_held(Pa /*page*/) const override { return false; }

  std::uint64_t free_pages() const { return free_; }

  /// All free pages, zeroed, become the host's and are pushed onto `to`.
  void return_all(pkvm::Memcache& to, Ownership& ownership);

 private:
  Expected<Pa> pop();

  Pa head_{0};
  std::uint64_t free_ = 0;
};

/// Zeroes a page of the hypervisor's, gives it to the host and pushes it onto the host's memcache.
void return_page(Pa page, pkvm::Memcache& to, Ownership& ownership, const LinearMap& linear);

}  // namespace pkvmemu::hyp
