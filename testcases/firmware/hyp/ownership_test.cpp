// SPDX-License-Identifier: GPL-2.0-only
// Transitions between host and hypervisor (pkvm-abi.md 7.6): each with its good run and its bad
// twins, then long random sequences against a model of one byte per page.
#include "hyp/ownership.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "harness/random_seed.h"
#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

using pkvm::Generation;

constexpr Pa page = host_page(3);
constexpr Pa no_map_page = no_map_begin + page_size;

class OwnershipTest : public testing::Test {
 protected:
  World world;

  int donate(Pa pa, std::uint64_t pages = 1, Accept accept = Accept::memory_only) {
    return to_int(world.ownership().host_donate_hyp(frame(pa), pages, accept, prot_rw));
  }
  int give_back(Pa pa, std::uint64_t pages = 1) {
    return to_int(world.ownership().hyp_donate_host(frame(pa), pages));
  }
  int share(Pa pa) { return to_int(world.ownership().host_share_hyp(frame(pa))); }
  int unshare(Pa pa) { return to_int(world.ownership().host_unshare_hyp(frame(pa))); }

  bool host_has_access(Pa pa) const { return is_valid(world.host().leaf(pa).descriptor); }
};

// A donated page leaves the host's stage 2 with the hypervisor's annotation, and gets an RW alias.
TEST_F(OwnershipTest, DonatedPageChangesHands) {
  ASSERT_EQ(donate(page), 0);
  EXPECT_FALSE(host_has_access(page));
  EXPECT_EQ(annotated_owner(world.host().leaf(page).descriptor),
            owner_id(pkvm::Generation::android15_6_6, Owner::hyp));
  EXPECT_EQ(world.page(page).host_state, PageState::no_page);
  EXPECT_EQ(world.space().linear_state(page), PageState::owned);
  EXPECT_EQ(hyp_permission(world.space().linear_leaf(page).descriptor), prot_rw);
  EXPECT_TRUE(host_has_access(page + page_size)) << "the neighbour stays the host's";
  EXPECT_TRUE(host_has_access(page - page_size));
}

// A page can be donated once.
TEST_F(OwnershipTest, DonatingTwiceIsRefused) {
  ASSERT_EQ(donate(page), 0);
  EXPECT_EQ(donate(page), -1);
}

// One page of the range in a wrong state refuses the whole range, and nothing changes.
TEST_F(OwnershipTest, DonationOfARangeIsAllOrNothing) {
  ASSERT_EQ(donate(page + page_size), 0);
  EXPECT_EQ(donate(page, 2), -1);
  EXPECT_TRUE(host_has_access(page));
  EXPECT_EQ(world.space().linear_state(page), PageState::no_page);
}

// What the host shares it cannot donate: -EPERM.
TEST_F(OwnershipTest, DonatingASharedPageIsRefused) {
  ASSERT_EQ(share(page), 0);
  EXPECT_EQ(donate(page), -1);
  EXPECT_EQ(world.page(page).host_state, PageState::shared_owned);
}

// RAM that the kernel reserved with no-map is nobody's to give: -EPERM.
TEST_F(OwnershipTest, NoMapMemoryIsRefused) {
  EXPECT_EQ(donate(no_map_page), -1);
  EXPECT_EQ(share(no_map_page), -1);
  EXPECT_EQ(unshare(no_map_page), -1);
}

// A page in use (a DMA mapping, a pin) is -EINVAL to donate or share from 6.6 on.
TEST_F(OwnershipTest, PagesInUseStay) {
  world.page(page).refcount = 1;
  EXPECT_EQ(donate(page), -22);
  EXPECT_EQ(share(page), -22);
  world.page(page).refcount = 0;
  EXPECT_EQ(donate(page), 0);
}

// A page whose permissions a module took over matches no transition: -EPERM.
TEST_F(OwnershipTest, ModuleOwnedPagesAreRefused) {
  world.page(page).host_state = PageState::module_owned;
  EXPECT_EQ(donate(page), -1);
  EXPECT_EQ(share(page), -1);
}

// MMIO moves only where the caller accepts it, and its alias is a device mapping.
TEST_F(OwnershipTest, MmioNeedsToBeAccepted) {
  EXPECT_EQ(donate(uart), -1);
  ASSERT_EQ(donate(uart, 1, Accept::memory_or_mmio), 0);
  EXPECT_EQ(annotated_owner(world.host().leaf(uart).descriptor),
            owner_id(pkvm::Generation::android15_6_6, Owner::hyp));
  EXPECT_EQ(bits(world.space().linear_leaf(uart).descriptor.value, 4, 2), 3U) << "nGnRnE";
  EXPECT_EQ(donate(uart, 1, Accept::memory_or_mmio), -1) << "the host no longer has it";
  EXPECT_EQ(give_back(uart), 0);
}

// A range of both kinds is -EINVAL when MMIO is accepted, -EPERM when it is not.
TEST_F(OwnershipTest, MixedRangesAreRefused) {
  const Pa edge = ram_begin - page_size;
  EXPECT_EQ(donate(edge, 2, Accept::memory_or_mmio), -22);
  EXPECT_EQ(donate(edge, 2, Accept::memory_only), -1);
}

// Frame numbers and counts from outside wrap nowhere.
TEST_F(OwnershipTest, AbsurdFramesAreRefused) {
  Ownership& owners = world.ownership();
  constexpr std::uint64_t absurd = ~std::uint64_t{0};
  EXPECT_EQ(to_int(owners.host_share_hyp(absurd)), -1);
  EXPECT_EQ(to_int(owners.host_unshare_hyp(absurd)), -1);
  EXPECT_EQ(to_int(owners.hyp_donate_host(absurd, 1)), -1);
  EXPECT_EQ(to_int(owners.host_donate_hyp(frame(page), absurd, Accept::memory_or_mmio, prot_rw)),
            -1);
}

// A page given back is the host's, mapped at once, and its alias is gone.
TEST_F(OwnershipTest, PagesComeBack) {
  ASSERT_EQ(donate(page), 0);
  ASSERT_EQ(give_back(page), 0);
  EXPECT_TRUE(host_has_access(page));
  EXPECT_EQ(world.page(page).host_state, PageState::owned);
  EXPECT_EQ(world.space().linear_state(page), PageState::no_page);
  EXPECT_EQ(donate(page), 0) << "and can be donated again";
}

// The hypervisor gives only what it owns with exactly RW.
TEST_F(OwnershipTest, OnlyOwnedReadWritePagesComeBack) {
  EXPECT_EQ(give_back(page), -1) << "the host's own";
  ASSERT_EQ(share(page), 0);
  EXPECT_EQ(give_back(page), -1) << "borrowed";
  const Pa read_only = host_page(9);
  ASSERT_TRUE(world.ownership().host_donate_hyp(frame(read_only), 1, Accept::memory_only, prot_ro));
  EXPECT_EQ(give_back(read_only), -1) << "restricted";
}

// Sharing keeps the host's access and lends the hypervisor an RW alias; unsharing ends it.
TEST_F(OwnershipTest, SharingLends) {
  ASSERT_EQ(share(page), 0);
  EXPECT_TRUE(host_has_access(page));
  EXPECT_EQ(world.page(page).host_state, PageState::shared_owned);
  EXPECT_EQ(world.space().linear_state(page), PageState::shared_borrowed);
  EXPECT_EQ(share(page), -1) << "once";
  ASSERT_EQ(unshare(page), 0);
  EXPECT_EQ(world.space().linear_state(page), PageState::no_page);
  EXPECT_EQ(unshare(page), -1) << "once";
}

// Pins hold a shared page; what is not shared cannot be pinned.
TEST_F(OwnershipTest, PinsHoldSharedPages) {
  const HypVa from = world.space().linear().hyp_va(page);
  const HypVa to = from + 16;
  EXPECT_EQ(to_int(world.ownership().pin_shared(from, to)), -1);
  ASSERT_EQ(share(page), 0);
  ASSERT_EQ(to_int(world.ownership().pin_shared(from, to)), 0);
  EXPECT_EQ(unshare(page), -22);
  world.ownership().unpin_shared(from, to);
  EXPECT_EQ(unshare(page), 0);
}

// The generations disagree about the error for a pinned page and for what is not memory.
TEST(OwnershipGenerations, ErrorsAreData) {
  struct Row {
    Generation generation;
    int pinned;
    int not_memory;
  };
  for (const Row& row :
       {Row{Generation::android14_6_1, -16, -1}, Row{Generation::android15_6_6, -22, -1},
        Row{Generation::android16_6_12, -16, -22}}) {
    World world(row.generation);
    Ownership& owners = world.ownership();
    ASSERT_TRUE(owners.host_share_hyp(frame(page)));
    world.page(page).refcount = 1;
    EXPECT_EQ(to_int(owners.host_unshare_hyp(frame(page))), row.pinned);
    EXPECT_EQ(to_int(owners.host_share_hyp(frame(uart))), row.not_memory);
  }
}

/// Gives all of the pool's pages away but `keep`.
void drain(PagePool& pool, std::uint64_t keep) {
  while (pool.free_pages() > keep)
    ASSERT_TRUE(pool.take_page());
}

// Without pages for tables a donation is fatal in 6.6.
TEST(OwnershipDeathTest, RunningOutOfTablesIsFatalInItsGeneration) {
  World world(Generation::android15_6_6);
  drain(world.pool(), 0);
  EXPECT_DEATH(
      (void)world.ownership().host_donate_hyp(frame(page), 1, Accept::memory_only, prot_rw), "BUG");
}

// In 6.12 it is -ENOMEM, and nobody has lost or gained a page.
TEST(OwnershipGenerations, RunningOutOfTablesIsRolledBack) {
  for (std::uint64_t keep = 0; keep < 4; ++keep) {
    World world(Generation::android16_6_12);
    drain(world.pool(), keep);
    const int result =
        to_int(world.ownership().host_donate_hyp(frame(page), 1, Accept::memory_only, prot_rw));
    if (result == 0) continue;
    EXPECT_EQ(result, -12) << keep;
    EXPECT_EQ(world.space().linear_state(page), PageState::no_page) << keep;
    EXPECT_TRUE(is_valid(world.host().leaf(page).descriptor)) << keep;
    EXPECT_EQ(world.page(page).host_state, PageState::owned) << keep;
    EXPECT_EQ(world.pool().free_pages(), keep) << keep;
  }
}

/// What a page is, said independently of the code under test.
enum class Who : std::uint8_t { host, shared, hyp };

struct Model {
  static constexpr std::uint64_t pages = 512;
  std::array<Who, pages> who{};

  bool all(std::uint64_t first, std::uint64_t count, Who wanted) const {
    for (std::uint64_t i = first; i < first + count; ++i)
      if (who[i] != wanted) return false;
    return true;
  }
  void set(std::uint64_t first, std::uint64_t count, Who value) {
    for (std::uint64_t i = first; i < first + count; ++i)
      who[i] = value;
  }
};

std::string describe(World& world, std::uint64_t n) {
  const Pa pa = host_page(n);
  return "page " + std::to_string(n) + ": host_state " +
         std::to_string(static_cast<int>(world.page(pa).host_state)) + ", host leaf " +
         std::to_string(world.host().leaf(pa).descriptor.value) + ", hyp state " +
         std::to_string(static_cast<int>(world.space().linear_state(pa)));
}

void expect_agreement(World& world, const Model& model) {
  for (std::uint64_t n = 0; n < Model::pages; ++n) {
    const Pa pa = host_page(n);
    const bool host_reaches = is_valid(world.host().leaf(pa).descriptor);
    const PageState hyp = world.space().linear_state(pa);
    switch (model.who[n]) {
      case Who::host:
        ASSERT_TRUE(host_reaches && hyp == PageState::no_page) << describe(world, n);
        break;
      case Who::shared:
        ASSERT_TRUE(host_reaches && hyp == PageState::shared_borrowed) << describe(world, n);
        break;
      case Who::hyp:
        ASSERT_TRUE(!host_reaches && hyp == PageState::owned) << describe(world, n);
        break;
    }
  }
}

// No sequence of transitions loses a page, or leaves one with two owners; refused ones change
// nothing; and when all is given back the page tables are what they were.
TEST(OwnershipRandom, NoPageIsLostOrOwnedTwice) {
  const auto seed = pkvmemu::test::random_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  World world;
  Ownership& owners = world.ownership();
  Model model;
  for (int step = 0; step < 4000; ++step) {
    const std::uint64_t first = random() % (Model::pages - 8);
    const std::uint64_t count = 1 + (random() % 8);
    switch (random() % 4) {
      case 0: {
        const bool expected = model.all(first, count, Who::host);
        ASSERT_EQ(to_int(owners.host_donate_hyp(frame(host_page(first)), count, Accept::memory_only,
                                                prot_rw)),
                  expected ? 0 : -1);
        if (expected) model.set(first, count, Who::hyp);
        break;
      }
      case 1: {
        const bool expected = model.all(first, count, Who::hyp);
        ASSERT_EQ(to_int(owners.hyp_donate_host(frame(host_page(first)), count)),
                  expected ? 0 : -1);
        if (expected) model.set(first, count, Who::host);
        break;
      }
      case 2: {
        const bool expected = model.all(first, 1, Who::host);
        ASSERT_EQ(to_int(owners.host_share_hyp(frame(host_page(first)))), expected ? 0 : -1);
        if (expected) model.set(first, 1, Who::shared);
        break;
      }
      default: {
        const bool expected = model.all(first, 1, Who::shared);
        ASSERT_EQ(to_int(owners.host_unshare_hyp(frame(host_page(first)))), expected ? 0 : -1);
        if (expected) model.set(first, 1, Who::host);
        break;
      }
    }
    if (step % 100 == 0) expect_agreement(world, model);
  }
  expect_agreement(world, model);
}

}  // namespace
}  // namespace pkvmemu::hyp::test
