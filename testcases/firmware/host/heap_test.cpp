// SPDX-License-Identifier: GPL-2.0-only
#include "host/heap.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <vector>

namespace {

using namespace pkvmemu::host;

struct HeapTest : ::testing::Test {
  struct Pages final : HeapPages {
    std::map<std::byte*, std::size_t> out;
    std::size_t limit = 1000;
    std::vector<HeapUse> asked;
    std::byte* take(std::size_t count, HeapUse use) override {
      asked.push_back(use);
      if (count > limit) return nullptr;
      auto* first = static_cast<std::byte*>(std::aligned_alloc(4096, count * 4096));
      out[first] = count;
      return first;
    }
    void give_back(std::byte* first, std::size_t count) override {
      EXPECT_EQ(out[first], count);
      out.erase(first);
      std::free(first);
    }
    ~Pages() {
      for (const auto& [first, count] : out)
        std::free(first);
    }
  } pages;
  Heap heap{pages};
};

// Objects are aligned to their power-of-two size and hold at least what was asked for.
TEST_F(HeapTest, ObjectsAreAlignedAndLargeEnough) {
  for (const std::size_t size : {1UL, 16UL, 17UL, 64UL, 100UL, 1024UL, 2048UL, 2049UL, 20000UL}) {
    void* object = heap.allocate(size);
    ASSERT_NE(object, nullptr);
    EXPECT_GE(heap.size_of(object), size);
    std::size_t alignment = 16;
    while (alignment < size && alignment < 4096)
      alignment *= 2;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(object) % alignment, 0U) << size;
    std::memset(object, 0xAA, size);
  }
}

// Nothing is allocated for size 0 or when pages run out, and releasing nothing is allowed.
TEST_F(HeapTest, NothingToGive) {
  EXPECT_EQ(heap.allocate(0), nullptr);
  pages.limit = 0;
  EXPECT_EQ(heap.allocate(32), nullptr);
  EXPECT_EQ(heap.allocate(100000), nullptr);
  heap.release(nullptr);
}

// Large objects go back to the kernel at once; small ones are used again.
TEST_F(HeapTest, ReleaseReuses) {
  void* large = heap.allocate(3 * 4096);
  EXPECT_EQ(pages.out.size(), 1U);
  heap.release(large);
  EXPECT_TRUE(pages.out.empty());
  void* small = heap.allocate(100);
  heap.release(small);
  EXPECT_EQ(heap.allocate(128), small);
}

// No two live objects overlap, whatever the order of calls: each keeps the pattern written to it.
TEST_F(HeapTest, RandomLifetimesKeepTheirContents) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  struct Live {
    unsigned char* object;
    std::size_t size;
    unsigned char pattern;
  };
  std::vector<Live> live;
  for (int step = 0; step < 5000; ++step) {
    if (live.size() < 60 && random() % 3 != 0) {
      const std::size_t size = random() % 5000 + 1;
      auto* object = static_cast<unsigned char*>(heap.allocate(size));
      ASSERT_NE(object, nullptr);
      const auto pattern = static_cast<unsigned char>(random());
      std::memset(object, pattern, size);
      live.push_back({object, size, pattern});
      continue;
    }
    if (live.empty()) continue;
    const std::size_t at = random() % live.size();
    for (std::size_t i = 0; i < live[at].size; ++i)
      ASSERT_EQ(live[at].object[i], live[at].pattern) << "seed " << seed << " step " << step;
    heap.release(live[at].object);
    live.erase(live.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

// The kernel's records ask for their pages as such, small ones and large ones, so that no fault of
// a plan meets them; a module's objects do not.
TEST_F(HeapTest, RecordsAreNotTheModules) {
  for (const std::size_t size : {64UL, 20000UL}) {
    heap.release(heap.allocate(size));
    heap.release(heap.allocate_record(2 * size));
  }
  EXPECT_EQ(pages.asked,
            (std::vector{HeapUse::module, HeapUse::record, HeapUse::module, HeapUse::record}));
}

}  // namespace
