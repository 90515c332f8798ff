// SPDX-License-Identifier: GPL-2.0-only
#include "host/page_table.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>

#include "host/layout.h"

namespace {

using namespace pkvmemu;
using namespace pkvmemu::host;

struct PageTableTest : ::testing::TestWithParam<unsigned> {
  struct Tables final : TableMemory {
    struct Page {
      alignas(4096) std::uint64_t entries[512] = {};
    };
    std::map<std::uint64_t, std::unique_ptr<Page>> pages;
    std::size_t limit = 1000;
    std::optional<Pa> take_table() override {
      if (pages.size() == limit) return std::nullopt;
      const Pa pa{0x1000 * (pages.size() + 1)};
      pages[pa.value] = std::make_unique<Page>();
      return pa;
    }
    std::uint64_t* view(Pa page) override { return pages.at(page.value)->entries; }
  } tables;
  PageTable table{*tables.take_table(), GetParam(), tables};
  const std::uint64_t base = KernelLayout::for_va_bits(GetParam())->page_offset();

  using Largest = PageTable::Largest;
  void expect_leaf(std::uint64_t va, Pa pa, Attributes how, unsigned level) {
    const auto leaf = table.find(va);
    ASSERT_TRUE(leaf) << std::hex << va;
    EXPECT_EQ(leaf->pa.value, pa.value) << std::hex << va;
    EXPECT_EQ(leaf->attributes.value, how.value);
    EXPECT_EQ(leaf->level, level);
  }
};

// A mapped range translates byte for byte, and its neighbours do not.
TEST_P(PageTableTest, MapsExactlyTheRange) {
  ASSERT_TRUE(
      table.map(base + 0x5000, Pa{0x4000'0000}, 0x3000, attributes::kernel_data, Largest::page));
  expect_leaf(base + 0x5000, Pa{0x4000'0000}, attributes::kernel_data, 3);
  expect_leaf(base + 0x7fff, Pa{0x4000'2fff}, attributes::kernel_data, 3);
  EXPECT_FALSE(table.find(base + 0x4fff));
  EXPECT_FALSE(table.find(base + 0x8000));
}

// Blocks are used where address, output and size allow, pages around them.
TEST_P(PageTableTest, UsesTheLargestLeavesThatFit) {
  const std::uint64_t va = base + 0x3fe0'0000;
  ASSERT_TRUE(table.map(va - 0x1000, Pa{0x7fdf'f000}, 0x4040'1000, attributes::kernel_data,
                        Largest::block_1g));
  expect_leaf(va - 0x1000, Pa{0x7fdf'f000}, attributes::kernel_data, 3);
  expect_leaf(va + 0x1234, Pa{0x7fe0'1234}, attributes::kernel_data, 2);
  expect_leaf(base + 0x4000'0042, Pa{0x8000'0042}, attributes::kernel_data, 1);
  expect_leaf(base + 0x8000'0000, Pa{0xC000'0000}, attributes::kernel_data, 2);
  EXPECT_FALSE(table.find(base + 0x8020'0000));
  EXPECT_EQ(table.find(base + 0x4000'0042)->level, 1U);
}

// The limit on leaf size is kept, and an output that is not aligned with its address gets pages.
TEST_P(PageTableTest, RespectsTheLimitAndMisalignment) {
  ASSERT_TRUE(table.map(base, Pa{0x4000'0000}, 0x20'0000, attributes::kernel_data, Largest::page));
  expect_leaf(base, Pa{0x4000'0000}, attributes::kernel_data, 3);
  ASSERT_TRUE(table.map(base + 0x4000'0000, Pa{0x4000'1000}, 0x20'0000, attributes::kernel_data,
                        Largest::block_1g));
  expect_leaf(base + 0x4000'0000, Pa{0x4000'1000}, attributes::kernel_data, 3);
}

// Mapping again changes permissions in place, unmapping removes single pages.
TEST_P(PageTableTest, RemapAndUnmap) {
  ASSERT_TRUE(table.map(base, Pa{0x4000'0000}, 0x3000, attributes::kernel_data, Largest::page));
  ASSERT_TRUE(
      table.map(base + 0x1000, Pa{0x4000'1000}, 0x1000, attributes::kernel_text, Largest::page));
  expect_leaf(base + 0x1000, Pa{0x4000'1000}, attributes::kernel_text, 3);
  table.unmap(base, 0x2000);
  EXPECT_FALSE(table.find(base));
  EXPECT_FALSE(table.find(base + 0x1000));
  expect_leaf(base + 0x2000, Pa{0x4000'2000}, attributes::kernel_data, 3);
  table.unmap(base + 0x8000'0000, 0x1000);
}

// Running out of table pages is an answer, not a wild write.
TEST_P(PageTableTest, NoTablePages) {
  tables.limit = tables.pages.size();
  EXPECT_FALSE(table.map(base, Pa{0}, 0x1000, attributes::kernel_data, Largest::page));
}

// Random page mappings all over the space are found again, and nothing else is.
TEST_P(PageTableTest, RandomMappings) {
  const unsigned seed = std::random_device{}();
  std::mt19937_64 random(seed);
  std::map<std::uint64_t, std::uint64_t> model;
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t va = base + (random() & low_mask(GetParam()) & ~low_mask(12));
    const std::uint64_t pa = random() & low_mask(40) & ~low_mask(12);
    ASSERT_TRUE(table.map(va, Pa{pa}, 0x1000, attributes::kernel_rodata, Largest::block_1g));
    model[va] = pa;
  }
  for (const auto& [va, pa] : model) {
    ASSERT_EQ(table.find(va)->pa.value, pa) << "seed " << seed;
    ASSERT_EQ(table.find(va + 0x1000).has_value(), model.contains(va + 0x1000)) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(VaBits, PageTableTest, ::testing::Values(39U, 48U));

// The layout is that of GKI kernels: linear map in the lower half, modules, then the image.
TEST(KernelLayout, Addresses) {
  const KernelLayout narrow = *KernelLayout::for_va_bits(39);
  EXPECT_EQ(narrow.page_offset(), 0xffff'ff80'0000'0000U);
  EXPECT_EQ(narrow.modules_begin(), 0xffff'ffc0'0000'0000U);
  EXPECT_EQ(narrow.image_base(), 0xffff'ffc0'8000'0000U);
  const KernelLayout wide = *KernelLayout::for_va_bits(48);
  EXPECT_EQ(wide.page_offset(), 0xffff'0000'0000'0000U);
  EXPECT_EQ(wide.modules_begin(), 0xffff'8000'0000'0000U);
  EXPECT_EQ(wide.image_base(), 0xffff'8000'8000'0000U);
  EXPECT_FALSE(KernelLayout::for_va_bits(42));
}

}  // namespace
