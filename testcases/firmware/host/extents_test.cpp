// SPDX-License-Identifier: GPL-2.0-only
#include "host/extents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace {

using namespace pkvmemu::host;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Neighbours merge from both sides, so that the set stays small.
TEST(Extents, AddMergesNeighbours) {
  ExtentSet set;
  EXPECT_TRUE(set.add({10, 5}));
  EXPECT_TRUE(set.add({20, 5}));
  EXPECT_THAT(set.runs(), ElementsAre(Extent{10, 5}, Extent{20, 5}));
  EXPECT_TRUE(set.add({15, 5}));
  EXPECT_THAT(set.runs(), ElementsAre(Extent{10, 15}));
}

// A page cannot be free twice.
TEST(Extents, AddRefusesOverlap) {
  ExtentSet set;
  ASSERT_TRUE(set.add({10, 5}));
  for (const Extent again : {Extent{10, 1}, Extent{8, 3}, Extent{14, 2}, Extent{8, 20}})
    EXPECT_FALSE(set.add(again)) << again.first;
  EXPECT_THAT(set.runs(), ElementsAre(Extent{10, 5}));
}

// Removing cuts runs at either end or in the middle, and ignores what is not there.
TEST(Extents, RemoveCuts) {
  ExtentSet set;
  ASSERT_TRUE(set.add({0, 100}));
  EXPECT_TRUE(set.remove({40, 10}));
  EXPECT_TRUE(set.remove({90, 20}));
  EXPECT_THAT(set.runs(), ElementsAre(Extent{0, 40}, Extent{50, 40}));
  EXPECT_TRUE(set.remove({30, 30}));
  EXPECT_THAT(set.runs(), ElementsAre(Extent{0, 30}, Extent{60, 30}));
  EXPECT_TRUE(set.remove({0, 100}));
  EXPECT_THAT(set.runs(), IsEmpty());
}

// Taking honours size and alignment from either end, and fails without a change.
TEST(Extents, TakeLowAndHigh) {
  ExtentSet set;
  ASSERT_TRUE(set.add({3, 10}));
  EXPECT_EQ(set.take_low(4, 4), 4U);
  EXPECT_THAT(set.runs(), ElementsAre(Extent{3, 1}, Extent{8, 5}));
  EXPECT_EQ(set.take_high(2, 4), 8U);
  EXPECT_EQ(set.take_high(2, 1), 11U);
  EXPECT_EQ(set.take_low(2), std::nullopt);
  EXPECT_THAT(set.runs(), ElementsAre(Extent{3, 1}, Extent{10, 1}));
}

// A full set refuses what would need one more run and stays as it is.
TEST(Extents, CapacityIsALimitNotACorruption) {
  ExtentSet set;
  for (std::uint64_t i = 0; i < ExtentSet::capacity; ++i)
    ASSERT_TRUE(set.add({i * 4, 3}));
  EXPECT_FALSE(set.add({ExtentSet::capacity * 4, 1}));
  EXPECT_FALSE(set.remove({1, 1}));
  EXPECT_EQ(set.total(), ExtentSet::capacity * 3);
}

// Any sequence of operations agrees with a plain set of page numbers.
TEST(Extents, RandomOperationsAgreeWithASet) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  ExtentSet set;
  std::set<std::uint64_t> model;
  for (int step = 0; step < 20000; ++step) {
    const Extent pages{random() % 120, random() % 12 + 1};
    bool overlaps = false;
    for (std::uint64_t page = pages.first; page < pages.end(); ++page)
      overlaps = overlaps || model.contains(page);
    switch (random() % 4) {
      case 0:
        ASSERT_EQ(set.add(pages), !overlaps) << "seed " << seed << " step " << step;
        if (!overlaps)
          for (std::uint64_t page = pages.first; page < pages.end(); ++page)
            model.insert(page);
        break;
      case 1:
        ASSERT_TRUE(set.remove(pages));
        for (std::uint64_t page = pages.first; page < pages.end(); ++page)
          model.erase(page);
        break;
      default: {
        const std::uint64_t alignment = std::uint64_t{1} << random() % 3;
        const auto first = random() % 2 == 0 ? set.take_low(pages.count, alignment)
                                             : set.take_high(pages.count, alignment);
        if (!first) break;
        ASSERT_EQ(*first % alignment, 0U);
        for (std::uint64_t page = *first; page < *first + pages.count; ++page)
          ASSERT_EQ(model.erase(page), 1U) << "seed " << seed << " step " << step;
      }
    }
    ASSERT_EQ(set.total(), model.size()) << "seed " << seed << " step " << step;
  }
}

}  // namespace
