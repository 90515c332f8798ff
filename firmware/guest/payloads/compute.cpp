// SPDX-License-Identifier: GPL-2.0-only
// Works on its own memory: the primes below 10 000 by a sieve, which everybody can check.
#include <array>

#include "guest/guest.h"

using namespace pkvmemu::guest;  // NOLINT(google-build-using-namespace): a whole program

namespace {
constexpr std::uint64_t limit = 10'000;
constinit std::array<bool, limit> composite{};
}  // namespace

extern "C" void guest_main(std::uint64_t /*argument*/) {
  open_console();
  std::uint64_t primes = 0;
  for (std::uint64_t i = 2; i < limit; ++i) {
    if (composite[i]) continue;
    ++primes;
    for (std::uint64_t multiple = i * i; multiple < limit; multiple += i)
      composite[multiple] = true;
  }
  print("primes below 10000: ");
  print_number(primes);
  print("\n");
}
