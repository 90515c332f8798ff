// SPDX-License-Identifier: GPL-2.0-only
// The page-table editor: what a walk finds after each edit, blocks and their splitting, where table
// pages go, and a long random run against a flat model.
#include "hyp/pgtable.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "harness/random_seed.h"
#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

constexpr std::uint64_t two_mib = 2 * mib;
constexpr std::uint64_t gib = 0x4000'0000;
constexpr std::uint64_t rwx = stage2_attributes(prot_rwx, PageState::owned);
constexpr std::uint64_t read_only = stage2_attributes(prot_ro, PageState::owned);
constexpr Descriptor hyp_owned =
    owner_annotation(owner_id(pkvm::Generation::android15_6_6, Owner::hyp));

unsigned flushes = 0;
void count_flush(std::uint64_t /*input*/) {
  ++flushes;
}

class PageTableTest : public testing::Test {
 protected:
  PageTableTest() : pages(world.pool()), before(pages.free_pages()) {
    flushes = 0;
    const Pa root = pages.take_page().value();
    table = PageTable{{.root = root, .start_level = 1, .input_bits = 39}, pages, count_flush};
    before = pages.free_pages();
  }

  /// Physical address and attributes that an access at `input` gets.
  std::optional<std::pair<Pa, std::uint64_t>> translate(std::uint64_t input) const {
    const Leaf leaf = table.leaf(input);
    if (!is_valid(leaf.descriptor)) return std::nullopt;
    return std::pair{address_of(leaf.descriptor) + (input % level_size(leaf.level)),
                     attributes_of(leaf.descriptor)};
  }
  std::uint64_t tables_taken() const { return before - pages.free_pages(); }

  World world;
  PagePool& pages;
  std::uint64_t before;
  PageTable table;
};

// A mapped page translates with its attributes; its neighbours do not translate.
TEST_F(PageTableTest, MapsOnePage) {
  ASSERT_TRUE(table.map({gib, gib + page_size}, Pa{0x5000}, rwx, Blocks::allowed));
  EXPECT_EQ(translate(gib + 8), std::pair(Pa{0x5008}, rwx));
  EXPECT_FALSE(translate(gib - 1));
  EXPECT_FALSE(translate(gib + page_size));
  EXPECT_EQ(tables_taken(), 2U);
  EXPECT_EQ(table.table_count(), 2U);
}

// The largest leaves that address, size and alignment allow are taken, or pages where asked.
TEST_F(PageTableTest, UsesBlocksWhereTheyFit) {
  ASSERT_TRUE(
      table.map({gib - two_mib, 2 * gib + page_size}, Pa{gib - two_mib}, rwx, Blocks::allowed));
  EXPECT_EQ(table.leaf(gib - 1).level, 2U);
  EXPECT_EQ(table.leaf(gib).level, 1U);
  EXPECT_EQ(table.leaf(2 * gib).level, 3U);
  ASSERT_TRUE(table.map({4 * gib, 4 * gib + two_mib}, Pa{0}, rwx, Blocks::pages_only));
  EXPECT_EQ(table.leaf(4 * gib).level, 3U);
}

// An output address of another alignment forbids the block.
TEST_F(PageTableTest, MisalignedOutputMeansPages) {
  ASSERT_TRUE(table.map({gib, gib + two_mib}, Pa{page_size}, rwx, Blocks::allowed));
  EXPECT_EQ(table.leaf(gib).level, 3U);
}

// The same mapping again is fine, also a part of a block, and costs nothing.
TEST_F(PageTableTest, IdenticalMappingIsAccepted) {
  ASSERT_TRUE(table.map({gib, 2 * gib}, Pa{gib}, rwx, Blocks::allowed));
  const std::uint64_t taken = tables_taken();
  EXPECT_TRUE(table.map({gib, 2 * gib}, Pa{gib}, rwx, Blocks::allowed));
  EXPECT_TRUE(
      table.map({gib + page_size, gib + two_mib}, Pa{gib + page_size}, rwx, Blocks::pages_only));
  EXPECT_EQ(tables_taken(), taken);
  EXPECT_EQ(flushes, 0U);
}

// A different one is -EAGAIN and leaves what was there.
TEST_F(PageTableTest, DifferentMappingIsRefused) {
  ASSERT_TRUE(table.map({gib, gib + page_size}, Pa{gib}, rwx, Blocks::allowed));
  EXPECT_EQ(table.map({gib, gib + page_size}, Pa{gib}, read_only, Blocks::allowed).error(),
            Errno::eagain);
  EXPECT_EQ(table.map({gib, gib + page_size}, Pa{0}, rwx, Blocks::allowed).error(), Errno::eagain);
  EXPECT_EQ(translate(gib), std::pair(Pa{gib}, rwx));
}

// A hole in a 1 GiB block: the rest of the block translates as before, through two tables.
TEST_F(PageTableTest, CuttingABlockKeepsTheRest) {
  ASSERT_TRUE(table.map({0, gib}, Pa{0}, rwx, Blocks::allowed));
  constexpr std::uint64_t hole = 5 * two_mib + (7 * page_size);
  ASSERT_TRUE(table.set_invalid({hole, hole + page_size}, hyp_owned));
  EXPECT_EQ(table.leaf(hole).descriptor, hyp_owned);
  EXPECT_EQ(translate(hole - 1), std::pair(Pa{hole - 1}, rwx));
  EXPECT_EQ(translate(hole + page_size), std::pair(Pa{hole + page_size}, rwx));
  EXPECT_EQ(translate(gib - 1), std::pair(Pa{gib - 1}, rwx));
  EXPECT_EQ(tables_taken(), 2U);
}

// Break before make: each valid entry that is replaced is flushed first.
TEST_F(PageTableTest, ReplacedEntriesAreFlushed) {
  ASSERT_TRUE(table.map({0, gib}, Pa{0}, rwx, Blocks::allowed));
  EXPECT_EQ(flushes, 0U) << "nothing was there";
  ASSERT_TRUE(table.set_invalid({0, page_size}, {}));
  EXPECT_EQ(flushes, 3U) << "two splits and the page";
}

// An annotation of a large range takes no tables, and a page of it can be taken out again.
TEST_F(PageTableTest, AnnotationsSplitLikeBlocks) {
  ASSERT_TRUE(table.set_invalid({gib, 2 * gib}, hyp_owned));
  EXPECT_EQ(tables_taken(), 0U);
  EXPECT_EQ(table.leaf(gib + page_size).level, 1U);
  ASSERT_TRUE(table.map({gib, gib + page_size}, Pa{gib}, rwx, Blocks::allowed));
  EXPECT_EQ(translate(gib), std::pair(Pa{gib}, rwx));
  EXPECT_EQ(table.leaf(gib + page_size).descriptor, hyp_owned);
  EXPECT_EQ(table.leaf(2 * gib - 1).descriptor, hyp_owned);
}

// Tables that hold nothing any more return to the pool, whichever way the range was emptied.
TEST_F(PageTableTest, EmptyTablesReturn) {
  ASSERT_TRUE(table.map({gib, gib + (3 * two_mib)}, Pa{page_size}, rwx, Blocks::allowed));
  EXPECT_GT(tables_taken(), 0U);
  ASSERT_TRUE(table.set_invalid({gib, gib + two_mib}, {}));
  ASSERT_TRUE(table.set_invalid({gib + two_mib, gib + (3 * two_mib)}, {}));
  EXPECT_EQ(tables_taken(), 0U);
  ASSERT_TRUE(table.map({gib, gib + two_mib}, Pa{page_size}, rwx, Blocks::allowed));
  ASSERT_TRUE(table.set_invalid({0, 4 * gib}, {}));
  EXPECT_EQ(tables_taken(), 0U);
}

// Addresses beyond the input space are -ERANGE.
TEST_F(PageTableTest, InputSpaceIsBounded) {
  constexpr std::uint64_t end = std::uint64_t{1} << 39;
  EXPECT_EQ(table.map({end - page_size, end + page_size}, Pa{0}, rwx, Blocks::allowed).error(),
            Errno::erange);
  EXPECT_TRUE(table.map({end - page_size, end}, Pa{0}, rwx, Blocks::allowed));
  EXPECT_EQ(table.set_invalid({end, end + 1}, {}).error(), Errno::erange);
}

// Concatenated root tables are one long array: the last entry works like the first.
TEST_F(PageTableTest, ConcatenatedRoot) {
  EarlyPages early(world.hyp().linear, ram_begin, pool_begin);
  const Pa root = early.take(2, 2 * page_size).value();
  PageTable wide{{.root = root, .start_level = 1, .input_bits = 40}, pages, count_flush};
  constexpr std::uint64_t last = (std::uint64_t{1} << 40) - gib;
  ASSERT_TRUE(wide.map({last, last + gib}, Pa{0}, rwx, Blocks::allowed));
  EXPECT_EQ(wide.leaf(last).level, 1U);
  EXPECT_EQ(*world.hyp().linear.pointer<std::uint64_t>(root + (2 * page_size) - 8),
            leaf_descriptor(Pa{0}, rwx, 1).value);
}

// Out of pages: -ENOMEM, and what was mapped stays so.
TEST_F(PageTableTest, OutOfPages) {
  ASSERT_TRUE(table.map({0, gib}, Pa{0}, rwx, Blocks::allowed));
  while (pages.free_pages() > 1)
    ASSERT_TRUE(pages.take_page());
  EXPECT_EQ(table.set_invalid({0, page_size}, {}).error(), Errno::enomem);
  EXPECT_EQ(translate(0), std::pair(Pa{0}, rwx));
  EXPECT_EQ(translate(gib - 1), std::pair(Pa{gib - 1}, rwx));
}

// Random edits of a window of pages agree with a flat map of what each page should be.
TEST_F(PageTableTest, AgreesWithAFlatModel) {
  const auto seed = pkvmemu::test::random_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  constexpr std::uint64_t window = 2048;  // pages: 8 MiB around a 2 MiB boundary
  constexpr std::uint64_t base = gib - (4 * mib);
  std::map<std::uint64_t, Descriptor> model;  // page -> level-3 descriptor; absent is empty
  const auto expected = [&](std::uint64_t n) {
    const auto found = model.find(n);
    return found == model.end() ? Descriptor{} : found->second;
  };
  const auto actual = [&](std::uint64_t n) {
    const std::uint64_t input = base + (n * page_size);
    const Leaf leaf = table.leaf(input);
    if (!is_valid(leaf.descriptor)) return leaf.descriptor;
    const auto [pa, attributes] = *translate(input);
    return leaf_descriptor(pa, attributes, last_level);
  };
  for (int step = 0; step < 3000; ++step) {
    const std::uint64_t first = random() % window;
    const std::uint64_t longest = random() % 3 == 0 ? window : 16;
    const std::uint64_t count = 1 + (random() % std::min(longest, window - first));
    const InputRange range{base + (first * page_size), base + ((first + count) * page_size)};
    switch (random() % 3) {
      case 0: {
        const std::uint64_t attributes = random() % 4 == 0 ? read_only : rwx;
        bool conflict = false;
        for (std::uint64_t n = first; n < first + count; ++n)
          conflict = conflict || (is_valid(expected(n)) &&
                                  expected(n) != leaf_descriptor(Pa{base + (n * page_size)},
                                                                 attributes, last_level));
        if (conflict) break;  // a refused map may have mapped a part: its callers check first
        ASSERT_TRUE(table.map(range, Pa{range.begin}, attributes, Blocks::allowed));
        for (std::uint64_t n = first; n < first + count; ++n)
          model[n] = leaf_descriptor(Pa{base + (n * page_size)}, attributes, last_level);
        break;
      }
      case 1:
        ASSERT_TRUE(table.set_invalid(range, {}));
        for (std::uint64_t n = first; n < first + count; ++n)
          model.erase(n);
        break;
      default:
        ASSERT_TRUE(table.set_invalid(range, hyp_owned));
        for (std::uint64_t n = first; n < first + count; ++n)
          model[n] = hyp_owned;
        break;
    }
    if (step % 50 != 0) continue;
    for (std::uint64_t n = 0; n < window; ++n)
      ASSERT_EQ(actual(n).value, expected(n).value) << "step " << step << ", page " << n;
  }
  ASSERT_TRUE(table.set_invalid({0, 4 * gib}, {}));
  EXPECT_EQ(tables_taken(), 0U) << "every table came back";
}

}  // namespace
}  // namespace pkvmemu::hyp::test
