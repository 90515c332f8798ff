// SPDX-License-Identifier: GPL-2.0-only
#include "observe/pvmfw.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "pkvm/platform.h"

namespace pkvmemu::observe {
namespace {

constexpr std::string_view stamp = "pvmfw\x01\x02\x03";
static_assert(stamp.size() == 8);

/// A twentieth of the region, so that a run does not spend its time on it.
constexpr std::size_t placeholder_size = 0x1'0000;
static_assert(placeholder_size <= pkvm::platform::pvmfw_size);

/// Each byte equals the one before it, and the first is zero.
bool all_zero(std::span<const std::byte> bytes) {
  return bytes.empty() || (bytes.front() == std::byte{0} &&
                           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace

Bytes placeholder_pvmfw() {
  // Each 16 bytes: the stamp, then their own offset, so that a lost or moved page shows.
  Bytes bytes(placeholder_size);
  for (std::size_t offset = 0; offset < bytes.size(); offset += 16) {
    for (std::size_t i = 0; i < 8; ++i) {
      bytes[offset + i] = static_cast<std::byte>(stamp[i]);
      bytes[offset + 8 + i] = static_cast<std::byte>(std::uint64_t{offset} >> (8 * i));
    }
  }
  return bytes;
}

Pvmfw check_pvmfw(std::span<const std::byte> region, std::span<const std::byte> placed) {
  if (placed.empty() || region.size() < placed.size()) return Pvmfw::absent;
  if (all_zero(region)) return Pvmfw::zeroed;
  const bool as_placed = std::ranges::equal(region.first(placed.size()), placed) &&
                         all_zero(region.subspan(placed.size()));
  return as_placed ? Pvmfw::intact : Pvmfw::changed;
}

}  // namespace pkvmemu::observe
