// SPDX-License-Identifier: GPL-2.0-only
#include "observe/pvmfw.h"

#include <algorithm>
#include <cstring>

// pvmfw_image.S
extern "C" const std::byte pkvmemu_pvmfw_begin[];
extern "C" const std::byte pkvmemu_pvmfw_end[];

namespace pkvmemu::observe {
namespace {

/// Each byte equals the one before it, and the first is zero.
bool all_zero(std::span<const std::byte> bytes) {
  return bytes.empty() || (bytes.front() == std::byte{0} &&
                           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace

std::span<const std::byte> builtin_pvmfw() {
  return {pkvmemu_pvmfw_begin, pkvmemu_pvmfw_end};
}

Pvmfw check_pvmfw(std::span<const std::byte> region, std::span<const std::byte> placed) {
  if (placed.empty() || region.size() < placed.size()) return Pvmfw::absent;
  if (all_zero(region)) return Pvmfw::zeroed;
  const bool as_placed = std::ranges::equal(region.first(placed.size()), placed) &&
                         all_zero(region.subspan(placed.size()));
  return as_placed ? Pvmfw::intact : Pvmfw::changed;
}

}  // namespace pkvmemu::observe
