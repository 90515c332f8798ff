// SPDX-License-Identifier: GPL-2.0-only
// What random tests begin with: another seed each time, which they print, or that of an earlier
// run.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace pkvmemu::test {

/// A number that an environment variable sets, in any base of C.
inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

/// PKVMEMU_SEED, or a fresh one; told in the form that repeats the run.
inline std::uint64_t random_seed() {
  const std::uint64_t seed = from_environment("PKVMEMU_SEED", std::random_device{}());
  std::printf("PKVMEMU_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace pkvmemu::test
