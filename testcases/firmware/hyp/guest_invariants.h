// SPDX-License-Identifier: GPL-2.0-only
// Who has each page, read from all page tables at once: the host's, the hypervisor's and every
// guest's. No page has two owners, none is reached by somebody who does not own or borrow it, and
// every book about it (state, annotation, reference count) says the same (pkvm-abi.md 7.3, 7.6).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hyp/vm/vm.h"
#include "world.h"

namespace pkvmemu::hyp::test {

/// A page that a guest's stage 2 maps.
struct GuestPage {
  const Vm* vm;
  std::uint64_t gfn;
  Pa pa;
  PageState state;
};

std::vector<GuestPage> pages_of_guest(const Vm& vm);
std::vector<const Vm*> all_vms();

/// The first thing that does not agree, in words; empty when all does.
std::string broken_invariant(World& world);

/// Pages of the host's RAM that are the hypervisor's now.
std::size_t pages_of_hypervisor(World& world);

}  // namespace pkvmemu::hyp::test
