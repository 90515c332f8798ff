// SPDX-License-Identifier: GPL-2.0-only
// The trace buffer and the events' flags natively (pkvm/trace.h, pkvm-abi.md 2.8).
#include "pkvm/trace.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <random>

#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

using pkvm::Generation;
using pkvm::trace::Descriptor;
using pkvm::trace::EntryHeader;
using pkvm::trace::PageHeader;

class TraceTest : public testing::Test {
 protected:
  World world{Generation::android16_6_12};
  TraceRing& ring = world.hyp().trace;
  Descriptor descriptor{};

  Status load(std::uint64_t pages) {
    descriptor.pages = pages;
    for (std::uint64_t i = 0; i < pages && i < pkvm::trace::max_pages; ++i) {
      descriptor.frame[i] = frame(host_page(i));
      check(world.ownership().host_share_hyp(descriptor.frame[i]).has_value());
    }
    return ring.load(descriptor, world.ownership(), world.hyp().linear);
  }
  std::byte* page(std::uint64_t index) {
    return world.hyp().linear.pointer<std::byte>(host_page(index));
  }
  bool write(std::uint64_t size, std::uint32_t value) {
    std::byte* room = ring.reserve(size);
    if (room == nullptr) return false;
    std::memcpy(room, &value, sizeof(value));
    ring.commit();
    return true;
  }
};

// Without a buffer there is no room, nothing to read, and nothing to enable; reset is harmless.
TEST_F(TraceTest, NothingWithoutABuffer) {
  EXPECT_EQ(ring.reserve(8), nullptr);
  EXPECT_EQ(ring.enable(true).error(), Errno::einval);
  EXPECT_EQ(ring.swap_reader().error(), Errno::enoent);
  ring.reset();
  ring.commit();
  EXPECT_EQ(ring.reserve(8), nullptr);
}

// Pages that are not shared, and counts that cannot be, are refused with nothing pinned.
TEST_F(TraceTest, BadDescriptorsAreRefused) {
  EXPECT_EQ(load(2).error(), Errno::einval);
  descriptor.pages = pkvm::trace::max_pages + 1;
  EXPECT_EQ(ring.load(descriptor, world.ownership(), world.hyp().linear).error(), Errno::einval);
  descriptor.pages = 3;
  descriptor.frame[2] = frame(host_page(9));
  EXPECT_EQ(ring.load(descriptor, world.ownership(), world.hyp().linear).error(), Errno::eperm);
  EXPECT_EQ(world.page(host_page(0)).refcount, 0);
}

// Loaded pages are pinned until teardown; a second buffer is refused.
TEST_F(TraceTest, PagesArePinned) {
  ASSERT_TRUE(load(4).has_value());
  EXPECT_EQ(world.page(host_page(3)).refcount, 1);
  EXPECT_EQ(ring.load(descriptor, world.ownership(), world.hyp().linear).error(), Errno::ebusy);
  ring.teardown(world.ownership(), world.hyp().linear);
  EXPECT_EQ(world.page(host_page(3)).refcount, 0);
  EXPECT_EQ(ring.reserve(8), nullptr);
}

// A host that scribbles over the headers changes what it reads, not where EL2 writes.
TEST_F(TraceTest, TheHostsHeadersAreNotBelieved) {
  ASSERT_TRUE(load(4).has_value());
  ASSERT_TRUE(ring.enable(true).has_value());
  for (std::uint64_t i = 0; i < 4; ++i)
    std::memset(page(i), 0xFF, page_size);
  const std::byte* room = ring.reserve(100);
  ASSERT_NE(room, nullptr);
  bool inside = false;
  for (std::uint64_t i = 0; i < 4; ++i)
    inside = inside || (room >= page(i) && room + 100 <= page(i) + page_size);
  EXPECT_TRUE(inside);
}

// Random writes and reads against a queue: entries come out in order, once, and what is missing is
// what the pages say was lost.
TEST_F(TraceTest, RandomUseAgreesWithAQueue) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  ASSERT_TRUE(load(5).has_value());
  ASSERT_TRUE(ring.enable(true).has_value());
  std::deque<std::uint32_t> expected;
  const auto read_page = [&] {
    const auto index = ring.swap_reader();
    if (!index) {
      EXPECT_TRUE(expected.empty());
      return false;
    }
    PageHeader header{};
    std::memcpy(&header, page(*index), sizeof(header));
    EXPECT_LE(header.lost, expected.size());
    expected.erase(expected.begin(), expected.begin() + header.lost);
    for (std::uint64_t at = 0; at < header.used;) {
      EntryHeader entry{};
      std::uint32_t value = 0;
      const std::byte* from = page(*index) + sizeof(header) + at;
      std::memcpy(&entry, from, sizeof(entry));
      std::memcpy(&value, from + sizeof(entry), sizeof(value));
      EXPECT_FALSE(expected.empty());
      EXPECT_EQ(value, expected.front());
      expected.pop_front();
      at += align_up(sizeof(entry) + entry.size, pkvm::trace::entry_alignment);
    }
    return true;
  };
  for (std::uint32_t step = 0; step < 20'000 && !HasFailure(); ++step) {
    if (random() % 200 == 0) {
      read_page();
      continue;
    }
    ASSERT_TRUE(write(4 + (random() % 300), step));
    expected.push_back(step);
  }
  while (!HasFailure() && read_page()) {
  }
  EXPECT_TRUE(expected.empty());
}

}  // namespace
}  // namespace pkvmemu::hyp::test
