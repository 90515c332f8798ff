// SPDX-License-Identifier: GPL-2.0-only
// Bit fields as the Arm ARM writes them: bits(esr, 31, 26). Freestanding.
#pragma once

#include <cstdint>

namespace pkvmemu {

constexpr std::uint64_t bit(unsigned n) {
  return std::uint64_t{1} << n;
}

/// A mask of the `width` lowest bits; width 64 is allowed.
constexpr std::uint64_t low_mask(unsigned width) {
  return width >= 64 ? ~std::uint64_t{0} : bit(width) - 1;
}

/// value<high:low>, shifted down.
constexpr std::uint64_t bits(std::uint64_t value, unsigned high, unsigned low) {
  return (value >> low) & low_mask(high - low + 1);
}

constexpr bool test_bit(std::uint64_t value, unsigned n) {
  return (value >> n & 1) != 0;
}

constexpr std::int64_t sign_extend(std::uint64_t value, unsigned width) {
  const unsigned shift = 64 - width;
  return static_cast<std::int64_t>(value << shift) >> shift;
}

/// `alignment` is a power of two.
constexpr std::uint64_t align_down(std::uint64_t value, std::uint64_t alignment) {
  return value & ~(alignment - 1);
}
constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return align_down(value + alignment - 1, alignment);
}
constexpr bool is_aligned(std::uint64_t value, std::uint64_t alignment) {
  return (value & (alignment - 1)) == 0;
}

}  // namespace pkvmemu
