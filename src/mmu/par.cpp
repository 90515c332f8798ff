// SPDX-License-Identifier: GPL-2.0-only
#include "mmu/translation.h"
#include "support/bits.h"

namespace pkvmemu::mmu {
namespace {

constexpr std::uint64_t res1 = bit(11);
constexpr std::uint64_t non_secure = bit(9);

}  // namespace

std::uint64_t encode_par(const Fault& fault) {
  return res1 | 1U | (std::uint64_t{fault.status_code()} << 1U) | (fault.s1ptw ? bit(8) : 0) |
         (fault.stage == Stage::two ? bit(9) : 0);
}

std::uint64_t encode_par(std::uint64_t output, MemoryAttributes attributes) {
  return res1 | non_secure | (output & low_mask(48) & ~low_mask(12)) |
         (static_cast<std::uint64_t>(attributes.shareability) << 7U) |
         (std::uint64_t{attributes.mair} << 56U);
}

}  // namespace pkvmemu::mmu
