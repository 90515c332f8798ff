// SPDX-License-Identifier: GPL-2.0-only
#include "lib/memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <vector>

namespace {

using namespace pkvmemu::fw;

std::vector<unsigned char> counted(std::size_t size) {
  std::vector<unsigned char> bytes(size);
  std::iota(bytes.begin(), bytes.end(), static_cast<unsigned char>(1));
  return bytes;
}

// Every combination of alignment and short length copies exactly what std::memmove copies,
// overlapping or not, and touches no byte beside it.
TEST(Memory, MoveAgreesWithTheCLibrary) {
  for (std::size_t to = 0; to < 24; ++to)
    for (std::size_t from = 0; from < 24; ++from)
      for (std::size_t size = 0; size < 24; ++size) {
        auto ours = counted(64);
        auto theirs = ours;
        move_bytes(ours.data() + to, ours.data() + from, size);
        std::memmove(theirs.data() + to, theirs.data() + from, size);
        ASSERT_EQ(ours, theirs) << "to " << to << " from " << from << " size " << size;
      }
}

// Copying and filling write the range and nothing around it, whatever its alignment.
TEST(Memory, CopyAndFillStayInTheirRange) {
  const auto source = counted(64);
  for (std::size_t at = 0; at < 16; ++at)
    for (std::size_t size = 0; size < 40; ++size) {
      auto ours = counted(64);
      auto theirs = ours;
      copy_bytes(ours.data() + at, source.data() + 3, size);
      std::memcpy(theirs.data() + at, source.data() + 3, size);
      ASSERT_EQ(ours, theirs);
      fill_bytes(ours.data() + at, 0xA5, size);
      std::memset(theirs.data() + at, 0xA5, size);
      ASSERT_EQ(ours, theirs) << "at " << at << " size " << size;
    }
}

// The sign comes from the first difference, with bytes compared as unsigned.
TEST(Memory, CompareLooksAtTheFirstDifference) {
  EXPECT_EQ(compare_bytes("abc", "abd", 2), 0);
  EXPECT_LT(compare_bytes("abc", "abd", 3), 0);
  EXPECT_GT(compare_bytes("\xff", "\x01", 1), 0);
}

}  // namespace
