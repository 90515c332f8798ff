// SPDX-License-Identifier: GPL-2.0-only
// FF-A for random sequences of guests' calls: a secure world that takes most of what it is given,
// and a guest that calls it, sensibly and not.
#pragma once

#include <cstdint>
#include <random>

#include "hyp/vm/vm.h"

namespace pkvmemu::hyp::test {

/// Plays EL3, and has the host agree on a version.
void start_secure_world();
/// How much memory it has been given so far, and how much it gave back.
struct SecureCounts {
  std::uint64_t given = 0;
  std::uint64_t returned = 0;
};
SecureCounts secure_counts();

/// Which pages a guest speaks of.
struct GuestFrames {
  std::uint64_t first;
  std::uint64_t count;
};
/// x0 to x4 of the guest's next call, with a descriptor in its buffer where that needs one.
void make_ffa_call(std::mt19937_64& random, const Vm& vm, GuestFrames frames,
                   unsigned long long* general);

}  // namespace pkvmemu::hyp::test
