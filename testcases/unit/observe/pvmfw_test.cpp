// SPDX-License-Identifier: GPL-2.0-only
#include "observe/pvmfw.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "pkvm/platform.h"

namespace pkvmemu::observe {
namespace {

// The placeholder fits its region, is the same each time, and no two of its pages are equal.
TEST(Pvmfw, ThePlaceholderIsAFixedPattern) {
  const Bytes firmware = placeholder_pvmfw();
  EXPECT_LE(firmware.size(), pkvm::platform::pvmfw_size);
  EXPECT_EQ(firmware, placeholder_pvmfw());
  const std::span<const std::byte> all(firmware);
  EXPECT_FALSE(std::ranges::equal(all.first(4096), all.subspan(4096, 4096)));
}

// One changed byte anywhere counts, behind the firmware too; all bytes zero is a wipe; a short
// region is none.
TEST(Pvmfw, ChecksEveryByte) {
  const Bytes placed = placeholder_pvmfw();
  Bytes intact = placed;
  intact.resize(pkvm::platform::pvmfw_size);
  EXPECT_EQ(check_pvmfw(intact, placed), Pvmfw::intact);
  for (const std::size_t at :
       {std::size_t{0}, placed.size() - 1, placed.size(), intact.size() - 1}) {
    Bytes region = intact;
    region[at] ^= std::byte{1};
    EXPECT_EQ(check_pvmfw(region, placed), Pvmfw::changed) << at;
  }
  EXPECT_EQ(check_pvmfw(Bytes(intact.size()), placed), Pvmfw::zeroed);
  EXPECT_EQ(check_pvmfw({}, placed), Pvmfw::absent);
  EXPECT_EQ(check_pvmfw(placed, {}), Pvmfw::absent);
}

}  // namespace
}  // namespace pkvmemu::observe
