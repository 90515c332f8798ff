// SPDX-License-Identifier: GPL-2.0-only
#include "support/bits.h"

#include <gtest/gtest.h>

namespace pkvmemu {
namespace {

// bits(v, high, low) is v<high:low> of the Arm ARM, both ends included.
TEST(Bits, FieldIncludesBothEnds) {
  EXPECT_EQ(bits(0x97c98045, 31, 26), 0x25U);
  EXPECT_EQ(bits(~std::uint64_t{0}, 63, 0), ~std::uint64_t{0});
  EXPECT_EQ(bits(0x8, 3, 3), 1U);
}

// A mask of 64 bits is all ones, not the undefined shift by 64.
TEST(Bits, LowMaskReachesTheFullWidth) {
  EXPECT_EQ(low_mask(0), 0U);
  EXPECT_EQ(low_mask(12), 0xfffU);
  EXPECT_EQ(low_mask(64), ~std::uint64_t{0});
}

// Sign extension copies the top bit of the field upwards.
TEST(Bits, SignExtendFollowsTheTopBit) {
  EXPECT_EQ(sign_extend(0x1ff, 9), -1);
  EXPECT_EQ(sign_extend(0x0ff, 9), 255);
}

}  // namespace
}  // namespace pkvmemu
