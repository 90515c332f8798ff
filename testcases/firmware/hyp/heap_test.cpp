// SPDX-License-Identifier: GPL-2.0-only
// The modules' heap (pkvm-abi.md 1.6) natively: chunks against a model, pages against the tables.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <random>

#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

using pkvm::Generation;

class HeapTest : public testing::Test {
 protected:
  World world{Generation::android16_6_12};
  HypHeap& heap = *world.hyp().heap;
  std::uint64_t next_page = 0;

  /// `count` of the host's pages as a memcache.
  Memcache memcache(std::uint64_t count) {
    Memcache cache;
    for (std::uint64_t i = 0; i < count; ++i) {
      const Pa page = host_page(next_page++);
      *world.hyp().linear.pointer<std::uint64_t>(page) = cache.head;
      cache.head = page.value;
      ++cache.blocks;
    }
    return cache;
  }
  Status refill(Memcache cache) { return heap.refill(cache); }
  std::byte* bytes(HypVa at) {
    const Leaf leaf = world.space().table().leaf(at.value);
    return world.hyp().linear.pointer<std::byte>(address_of(leaf.descriptor) +
                                                 (at.value % page_size));
  }
};

// What a failed allocation lacks is what makes the same one succeed.
TEST_F(HeapTest, RefillOfWhatIsMissingIsEnough) {
  for (const std::uint64_t size : {1ULL, 4064ULL, 4065ULL, 20'000ULL}) {
    EXPECT_EQ(heap.allocate(size).error(), Errno::enomem);
    const std::uint8_t missing = heap.take_missing_donations();
    ASSERT_TRUE(refill(memcache(missing)).has_value());
    EXPECT_TRUE(heap.allocate(size).has_value()) << size;
  }
}

// A missing count is a byte: more than 255 pages are 255.
TEST_F(HeapTest, MissingPagesSaturate) {
  EXPECT_EQ(heap.allocate(300 * page_size).error(), Errno::enomem);
  EXPECT_EQ(heap.take_missing_donations(), 255);
  EXPECT_EQ(heap.take_missing_donations(), 0);
}

// Blocks of more than a page count with all of their pages.
TEST_F(HeapTest, RefillTakesBlocksOfAnyOrder) {
  *world.hyp().linear.pointer<std::uint64_t>(host_page(4)) = 0;
  ASSERT_TRUE(refill({.head = host_page(4).value | 2, .blocks = 1}).has_value());
  EXPECT_EQ(heap.reclaimable(), 4U);
  EXPECT_EQ(refill({.head = host_page(16).value | 30, .blocks = 1}).error(), Errno::einval);
}

// A refill that fails half way says what it left (pkvm-abi.md 5.5): the pages in front of the
// refused one are the hypervisor's, and the list that is left begins with that one.
TEST_F(HeapTest, ARefillThatFailsLeavesTheRest) {
  Memcache cache = memcache(4);
  const Pa refused = host_page(1);  // of 3, 2, 1, 0
  ASSERT_TRUE(
      world.ownership().host_donate_hyp(pfn_of(refused).value, 1, Accept::memory_only, prot_rw));
  EXPECT_EQ(heap.refill(cache).error(), Errno::eperm);
  EXPECT_EQ(cache.head, refused.value);
  EXPECT_EQ(cache.blocks, 2U);
  EXPECT_EQ(heap.reclaimable(), 2U);
  EXPECT_EQ(world.ownership().host_state(host_page(0)), PageState::owned);
}

// One that succeeds leaves nothing.
TEST_F(HeapTest, ARefillThatSucceedsLeavesNothing) {
  Memcache cache = memcache(3);
  EXPECT_TRUE(heap.refill(cache).has_value());
  EXPECT_EQ(cache.blocks, 0U);
}

// Without a page for the window's own tables: -EBUSY in 6.12, -ENOMEM before, and nothing is lost.
TEST_F(HeapTest, NoPageForTables) {
  ASSERT_TRUE(refill(memcache(1)).has_value());
  while (world.pool().free_pages() != 0)
    ASSERT_TRUE(world.pool().take_page().has_value());
  EXPECT_EQ(heap.allocate(1).error(), Errno::ebusy);
  EXPECT_EQ(heap.reclaimable(), 1U);
}

// What is reclaimed is the host's again, zeroed but for the link.
TEST_F(HeapTest, ReclaimedPagesAreTheHosts) {
  ASSERT_TRUE(refill(memcache(3)).has_value());
  const HypVa memory = heap.allocate(2 * page_size).value();
  bytes(memory)[0] = std::byte{0x5A};
  heap.free(memory);
  const Memcache all = heap.reclaim(100);
  ASSERT_EQ(all.blocks, 3U);
  std::uint64_t link = all.head;
  for (std::uint64_t i = 0; i < all.blocks; ++i) {
    const Pa page{link};
    EXPECT_EQ(world.ownership().host_state(page), PageState::owned);
    const auto* words = world.hyp().linear.pointer<std::uint64_t>(page);
    EXPECT_TRUE(std::all_of(words + 1, words + (page_size / 8), [](auto w) { return w == 0; }));
    link = words[0];
  }
  EXPECT_EQ(link, 0U);
}

// What was never allocated, lies inside an allocation, or was freed before, is fatal to free.
TEST_F(HeapTest, ForeignFreesAreFatal) {
  ASSERT_TRUE(refill(memcache(2)).has_value());
  const HypVa memory = heap.allocate(100).value();
  const HypVa second = heap.allocate(100).value();
  EXPECT_DEATH(heap.free(HypVa{0}), "BUG");
  EXPECT_DEATH(heap.free(HypVa{0x1234'5000}), "BUG");
  EXPECT_DEATH(heap.free(memory + 32), "BUG");
  EXPECT_DEATH(heap.free(memory + 8), "BUG");
  heap.free(memory);
  EXPECT_DEATH(heap.free(memory), "BUG");
  heap.free(second);
  EXPECT_DEATH(heap.free(second), "BUG");
}

// Random allocations, frees, refills and reclaims: chunks never overlap, keep their bytes, come
// zeroed, and in the end every page can be had back.
TEST_F(HeapTest, RandomUseAgreesWithAModel) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  struct Owned {
    std::uint64_t size;
    std::byte fill;
  };
  std::map<std::uint64_t, Owned> model;
  const auto check_bytes = [&](std::uint64_t at, const Owned& own) {
    for (std::uint64_t i = 0; i < own.size; ++i)
      ASSERT_EQ(*bytes(HypVa{at + i}), own.fill) << std::hex << at << " + " << i;
  };
  for (unsigned step = 0; step < 3000; ++step) {
    const std::uint64_t choice = below(10);
    if (choice < 5) {
      const std::uint64_t size = 1 + below(choice == 0 ? 9000 : 300);
      auto memory = heap.allocate(size);
      if (!memory && next_page + 8 < 1000) {
        ASSERT_EQ(memory.error(), Errno::enomem);
        ASSERT_TRUE(refill(memcache(heap.take_missing_donations())).has_value());
        memory = heap.allocate(size);
      }
      if (!memory) continue;
      const auto after = model.lower_bound(memory->value);
      if (after != model.end()) {
        ASSERT_LE(memory->value + size, after->first);
      }
      if (after != model.begin()) {
        ASSERT_LE(std::prev(after)->first + std::prev(after)->second.size, memory->value);
      }
      check_bytes(memory->value, {size, std::byte{0}});
      const auto fill = static_cast<std::byte>(1 + below(255));
      for (std::uint64_t i = 0; i < size; ++i)
        *bytes(*memory + i) = fill;
      model[memory->value] = {size, fill};
    } else if (choice < 9 && !model.empty()) {
      const auto own = std::next(model.begin(), static_cast<long>(below(model.size())));
      check_bytes(own->first, own->second);
      heap.free(HypVa{own->first});
      model.erase(own);
    } else {
      const std::uint64_t could = heap.reclaimable();
      const std::uint64_t target = below(4);
      ASSERT_EQ(heap.reclaim(target).blocks, std::min(could, target));
    }
  }
  for (const auto& [at, own] : model) {
    check_bytes(at, own);
    heap.free(HypVa{at});
  }
  heap.reclaim(~std::uint64_t{0});
  EXPECT_EQ(heap.reclaimable(), 0U);
  for (std::uint64_t i = 0; i < next_page; ++i)
    ASSERT_EQ(world.ownership().host_state(host_page(i)), PageState::owned) << i;
}

}  // namespace
}  // namespace pkvmemu::hyp::test
