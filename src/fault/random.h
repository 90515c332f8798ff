// SPDX-License-Identifier: GPL-2.0-only
// Numbers by lot that are the same everywhere for the same seed (the standard library's
// distributions are not): Weyl sequence and mixing function as in SplitMix64 (Steele, Lea, Flood,
// "Fast splittable pseudorandom number generators", 2014).
#pragma once

#include <cstdint>

namespace pkvmemu::fault {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e37'79b9'7f4a'7c15;
    std::uint64_t z = state_;
    z = (z ^ z >> 30U) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ z >> 27U) * 0x94d0'49bb'1331'11eb;
    return z ^ z >> 31U;
  }
  /// 0 to limit - 1, for limits so small that the remainder's bias does not matter.
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }

 private:
  std::uint64_t state_;
};

}  // namespace pkvmemu::fault
