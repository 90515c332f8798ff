// SPDX-License-Identifier: GPL-2.0-only
#include "fault/turn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace pkvmemu::fault {
namespace {

using testing::ElementsAre;

/// Which of the first twelve occurrences fail, counted from 1.
std::vector<unsigned> taken_by(const Turn& turn, std::uint64_t seed = 1) {
  constexpr unsigned occurrences = 12;
  TurnCount count(turn);
  Random random(seed);
  std::vector<unsigned> taken;
  for (unsigned i = 1; i <= occurrences; ++i)
    if (count.takes_next(random)) taken.push_back(i);
  return taken;
}

// Unless told otherwise the first occurrence fails, and no other.
TEST(Turn, IsTheFirstTimeOnce) {
  EXPECT_THAT(taken_by({}), ElementsAre(1));
}

// `times` occurrences in a row fail from the nth on; all of them when it is for ever.
TEST(Turn, ComesFromTheNthOn) {
  EXPECT_THAT(taken_by({.nth = 3, .times = 2}), ElementsAre(3, 4));
  EXPECT_THAT(taken_by({.nth = 10, .times = every_time}), ElementsAre(10, 11, 12));
}

// As in Linux: `space` is used up first, then one in `interval` fails, `times` in all.
TEST(Turn, SpaceAndIntervalAreThoseOfLinux) {
  EXPECT_THAT(taken_by({.space = 4, .times = 2}), ElementsAre(5, 6));
  EXPECT_THAT(taken_by({.interval = 3, .times = every_time}), ElementsAre(3, 6, 9, 12));
  EXPECT_THAT(taken_by({.nth = 2, .space = 1, .interval = 4, .times = 2}), ElementsAre(6, 10));
}

// Probability goes by lot: none at 0, about so many of a hundred, and the same ones for a seed.
TEST(Turn, ProbabilityIsALotThatCanBeRepeated) {
  EXPECT_THAT(taken_by({.probability = 0, .times = every_time}), ElementsAre());
  const Turn half{.probability = 50, .times = every_time};
  EXPECT_EQ(taken_by(half, 7), taken_by(half, 7));
  EXPECT_NE(taken_by(half, 7), taken_by(half, 8));

  constexpr unsigned rounds = 10'000;
  TurnCount count({.probability = 30, .times = every_time});
  Random random(1);
  unsigned taken = 0;
  for (unsigned i = 0; i < rounds; ++i)
    if (count.takes_next(random)) ++taken;
  EXPECT_NEAR(taken, rounds * 0.3, rounds * 0.02);
}

}  // namespace
}  // namespace pkvmemu::fault
