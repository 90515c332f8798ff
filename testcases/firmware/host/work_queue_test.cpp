// SPDX-License-Identifier: GPL-2.0-only
#include "host/work_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace {

using namespace pkvmemu::host;
using testing::ElementsAre;

std::vector<std::uint64_t> take_all(WorkQueue& queue, std::uint64_t due_by) {
  std::vector<std::uint64_t> works;
  while (const auto item = queue.take(due_by))
    works.push_back(item->work);
  return works;
}

// The earliest first; among equals the one that was added first; later ones stay.
TEST(WorkQueue, InTheOrderTheyFallDue) {
  WorkQueue queue;
  for (const auto& [work, due] : {std::pair{1, 30}, {2, 10}, {3, 20}, {4, 10}, {5, 40}})
    EXPECT_TRUE(queue.add(static_cast<std::uint64_t>(work), static_cast<std::uint64_t>(due)));
  EXPECT_THAT(take_all(queue, 30), ElementsAre(2, 4, 3, 1));
  EXPECT_EQ(queue.size(), 1U);
  EXPECT_FALSE(queue.take(39));
  EXPECT_EQ(queue.take(40)->due, 40U);
}

// Removing tells whether it was there, and leaves the others in order.
TEST(WorkQueue, Removal) {
  WorkQueue queue;
  for (std::uint64_t work = 1; work <= 4; ++work)
    queue.add(work, 10);
  EXPECT_TRUE(queue.remove(1));
  EXPECT_FALSE(queue.remove(1));
  EXPECT_TRUE(queue.remove(3));
  EXPECT_THAT(take_all(queue, 10), ElementsAre(2, 4));
}

// Those that somebody does not want go oldest first, whatever is due when; the others stay.
TEST(WorkQueue, GivesUpWhatIsUnwanted) {
  WorkQueue queue;
  for (std::uint64_t work = 1; work <= 4; ++work)
    queue.add(work, 10 - work);
  queue.remove(1);
  queue.add(6, 0);
  const auto is_even = [](const WorkQueue::Item& item) { return item.work % 2 == 0; };
  EXPECT_EQ(queue.take_first_if(is_even)->work, 2U);
  EXPECT_EQ(queue.take_first_if(is_even)->work, 4U);
  EXPECT_EQ(queue.take_first_if(is_even)->work, 6U);
  EXPECT_FALSE(queue.take_first_if(is_even));
  EXPECT_THAT(take_all(queue, 10), ElementsAre(3));
}

// A full queue refuses and keeps what it has.
TEST(WorkQueue, IsBounded) {
  WorkQueue queue;
  for (std::uint64_t work = 0; work < WorkQueue::capacity; ++work)
    EXPECT_TRUE(queue.add(work, 0));
  EXPECT_FALSE(queue.add(WorkQueue::capacity, 0));
  EXPECT_EQ(take_all(queue, 0).size(), WorkQueue::capacity);
}

// Random additions and removals come out as what is left, sorted by due time and then by age.
TEST(WorkQueue, AgreesWithASort) {
  constexpr unsigned seed = 6603;
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    WorkQueue queue;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> model;  // due, work
    for (std::uint64_t work = 1; work <= 40; ++work) {
      const std::uint64_t due = random() % 8;
      queue.add(work, due);
      model.emplace_back(due, work);
      const std::uint64_t removed = random() % 60;
      const auto same = std::ranges::find(model, removed, &decltype(model)::value_type::second);
      EXPECT_EQ(queue.remove(removed), same != model.end());
      if (same != model.end()) model.erase(same);
    }
    std::ranges::sort(model);  // works are numbered in the order of add()
    std::vector<std::uint64_t> expected;
    for (const auto& [due, work] : model)
      expected.push_back(work);
    EXPECT_EQ(take_all(queue, 8), expected) << "seed " << seed << ", round " << round;
  }
}

}  // namespace
