// SPDX-License-Identifier: GPL-2.0-only
#include "observe/pvmfw.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "pkvm/platform.h"

namespace pkvmemu::observe {
namespace {

constexpr std::string_view stamp = "pvmfw\x01\x02\x03";
static_assert(stamp.size() == 8);

bool all_zero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

Bytes placeholder_pvmfw() {
  // Each 16 bytes: the stamp, then their own offset, so that a lost or moved page shows.
  Bytes bytes(pkvm::platform::pvmfw_size);
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
  const auto start = region.first(placed.size());
  if (std::ranges::equal(start, placed)) return Pvmfw::intact;
  return all_zero(start) ? Pvmfw::zeroed : Pvmfw::changed;
}

}  // namespace pkvmemu::observe
