// SPDX-License-Identifier: GPL-2.0-only
// The hypervisor's pages: early ones in a row, then a pool that takes them back.
#include "hyp/pool.h"

#include <gtest/gtest.h>

#include <set>

#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

class PoolTest : public testing::Test {
 protected:
  World world;
  PagePool& pool = world.pool();
};

// Every page comes out once, zeroed, and -ENOMEM ends it.
TEST_F(PoolTest, EveryPageOnce) {
  const std::uint64_t count = pool.free_pages();
  std::set<Pa> seen;
  while (const Expected<Pa> page = pool.take_page()) {
    ASSERT_TRUE(seen.insert(*page).second);
    auto* words = world.hyp().linear.pointer<std::uint64_t>(*page);
    ASSERT_TRUE(std::all_of(words, words + (page_size / 8), [](auto word) { return word == 0; }));
    words[5] = 1;
  }
  EXPECT_EQ(seen.size(), count);
  EXPECT_EQ(pool.take_page().error(), Errno::enomem);
  for (const Pa page : seen)
    pool.give_back(page);
  EXPECT_EQ(pool.free_pages(), count);
}

// A page that was used comes back clean.
TEST_F(PoolTest, ReusedPagesAreZeroed) {
  const Pa page = pool.take_page().value();
  world.hyp().linear.pointer<std::uint64_t>(page)[7] = 0xdead;
  pool.give_back(page);
  ASSERT_EQ(pool.take_page().value(), page);
  EXPECT_EQ(world.hyp().linear.pointer<std::uint64_t>(page)[7], 0U);
}

// A page given back twice, or one that was never the pool's, is our bug and ends in panic.
TEST_F(PoolTest, WrongPagesAreFatal) {
  const Pa page = pool.take_page().value();
  pool.give_back(page);
  EXPECT_DEATH(pool.give_back(page), "BUG");
  EXPECT_DEATH(pool.give_back(host_page(1)), "BUG");
}

// Pages of early tables return to the pool as well.
TEST_F(PoolTest, EarlyPagesReturn) {
  const std::uint64_t count = pool.free_pages();
  pool.give_back(pool_begin);
  EXPECT_EQ(pool.free_pages(), count + 1);
}

// Early pages are aligned as asked, and end with -ENOMEM.
TEST(EarlyPagesTest, AlignedAndBounded) {
  const World world;
  EarlyPages early(world.hyp().linear, ram_begin + page_size, ram_begin + (8 * page_size));
  EXPECT_EQ(early.take(2, 2 * page_size).value(), ram_begin + (2 * page_size));
  EXPECT_EQ(early.take(5, page_size).error(), Errno::enomem);
  EXPECT_EQ(early.take(4, page_size).value(), ram_begin + (4 * page_size));
  EXPECT_EQ(early.take_page().error(), Errno::enomem);
}

}  // namespace
}  // namespace pkvmemu::hyp::test
