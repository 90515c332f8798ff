// SPDX-License-Identifier: GPL-2.0-only
// What modules do to pages of the host (pkvm-abi.md 1.6, 1.7) where a whole machine cannot be
// brought to it: pages in use, no-map memory, missing table pages, an IOMMU driver's handler.
#include <gtest/gtest.h>

#include "hyp/host_abort.h"
#include "hyp/ops_memory.h"
#include "hyp/trap.h"
#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

using arch::Sysreg;
using pkvm::Generation;

constexpr Pa page = host_page(3);

/// One list entry as the ABI packs it.
std::array<std::uint8_t, 2 * PageBlockList::entry_size> list_of(PageBlock a, PageBlock b) {
  std::array<std::uint8_t, 2 * PageBlockList::entry_size> bytes{};
  std::size_t at = 0;
  for (const PageBlock& block : {a, b}) {
    for (unsigned i = 0; i < 5; ++i)
      bytes[at++] = static_cast<std::uint8_t>(block.pfn >> (8 * i));
    bytes[at++] = static_cast<std::uint8_t>(block.order);
  }
  return bytes;
}

// Owner ids: guests and FF-A changed places after 6.1 (7.3).
TEST(OwnerIds, AreTheGenerations) {
  EXPECT_EQ(owner_id(Generation::android14_6_1, Owner::guest), OwnerId{2});
  EXPECT_EQ(owner_id(Generation::android14_6_1, Owner::ffa), OwnerId{3});
  for (const Generation later : {Generation::android15_6_6, Generation::android16_6_12}) {
    EXPECT_EQ(owner_id(later, Owner::guest), OwnerId{3});
    EXPECT_EQ(owner_id(later, Owner::ffa), OwnerId{2});
  }
}

// A page in use: 6.12 refuses to change its permission, the others do not look; the lazy pair
// refuses by its generation's code (1.6, 1.7).
TEST(PagesInUse, AnswerByGeneration) {
  struct Row {
    Generation generation;
    int mod_prot;
    int lazy;
  };
  for (const Row& row :
       {Row{Generation::android15_6_6, 0, -1}, Row{Generation::android16_6_12, -22, -22}}) {
    World world(row.generation);
    world.page(page).refcount = 1;
    EXPECT_EQ(to_int(world.ownership().host_enable_lazy(frame(page), 1)), row.lazy);
    EXPECT_EQ(ops::host_stage2_mod_prot(frame(page), prot_ro, 1), row.mod_prot);
  }
}

// Memory that is reserved with no-map is nobody's to protect.
TEST(NoMap, IsNotProtected) {
  for (const pkvm::GenerationInfo& generation : pkvm::generations) {
    World world(generation.id);
    EXPECT_EQ(ops::host_stage2_mod_prot(frame(no_map_begin), prot_ro, 1), -1) << generation.kmi;
    EXPECT_EQ(to_int(world.ownership().host_share_hyp(frame(no_map_begin))), -1);
  }
}

// In 6.1 RAM and MMIO move in one donation, each with its kind of alias.
TEST(MixedRanges, MoveIn61) {
  World world(Generation::android14_6_1);
  const Pa edge = ram_begin - page_size;
  ASSERT_TRUE(world.ownership().host_donate_hyp(frame(edge), 2, Accept::memory_or_mmio, prot_rw));
  EXPECT_EQ(bits(world.space().linear_leaf(edge).descriptor.value, 4, 2), 3U) << "nGnRnE";
  EXPECT_EQ(bits(world.space().linear_leaf(ram_begin).descriptor.value, 4, 2), 0U);
  EXPECT_EQ(to_int(world.ownership().hyp_donate_host(frame(edge), 2)), 0);
  EXPECT_EQ(world.host().leaf(edge).descriptor.value, 0U);
}

// A list whose second entry cannot be had leaves the first one with the host (6.12).
TEST(PageLists, AreRolledBack) {
  for (std::uint64_t keep = 0; keep < 6; ++keep) {
    World world(Generation::android16_6_12);
    while (world.pool().free_pages() > keep)
      ASSERT_TRUE(world.pool().take_page());
    const Pa far_away = no_map_begin + mib;
    const auto list = list_of({frame(page), 0}, {frame(far_away), 1});
    const int result = ops::host_donate_sglist_hyp(list.data(), 2);
    if (result == 0) continue;
    EXPECT_EQ(result, -12) << keep;
    for (const Pa pa : {page, far_away}) {
      EXPECT_EQ(world.space().linear_state(pa), PageState::no_page) << keep;
      EXPECT_TRUE(is_valid(world.host().leaf(pa).descriptor)) << keep;
      EXPECT_EQ(world.page(pa).host_state, PageState::owned) << keep;
    }
  }
}

// A list with a page in use is -EINVAL, and the same page twice is just donated.
TEST(PageLists, PagesInUseAndTwice) {
  World world(Generation::android16_6_12);
  world.page(page).refcount = 1;
  const auto used = list_of({frame(page + page_size), 0}, {frame(page), 0});
  EXPECT_EQ(ops::host_donate_sglist_hyp(used.data(), 2), -22);
  world.page(page).refcount = 0;
  const auto twice = list_of({frame(page), 0}, {frame(page), 0});
  EXPECT_EQ(ops::host_donate_sglist_hyp(twice.data(), 2), 0);
}

// The block of a window keeps its entry but the valid bit; 6.1 forgets the memory type as well.
TEST(Fixmap, UnmapClearsTheValidBit) {
  for (const pkvm::GenerationInfo& generation : pkvm::generations) {
    World world(generation.id);
    const HypVa slot = world.space().fixmap_map(0, page);
    const Descriptor mapped = world.space().table().leaf(slot.value).descriptor;
    world.space().fixmap_unmap(0);
    EXPECT_EQ(world.space().table().leaf(slot.value).descriptor, without_valid(mapped));
    EXPECT_EQ(world.space().fixmap_map(0, page + page_size + 8), slot + 8);
  }
}

// Module code may pass any address: it means the page around it, and no neighbour changes.
TEST(WildAddresses, AreRoundedToTheirPage) {
  World world;
  HypSpace& space = world.space();
  const HypVa va = space.take_va(3).value();
  ASSERT_TRUE(space.map_at(va + page_size + 8, page, page_size, prot_rw));
  EXPECT_TRUE(space.is_mapped(va + page_size));
  EXPECT_FALSE(space.is_mapped(va));
  EXPECT_FALSE(space.is_mapped(va + (2 * page_size)));
  ASSERT_TRUE(space.unmap_at(va + page_size + 16, 8));
  EXPECT_FALSE(space.is_mapped(va + page_size));
}

// Bits of a physical address beyond the descriptor's field change no attribute.
TEST(WildAddresses, GiveNoRights) {
  World world;
  const Pa wild{page.value | bit(54) | bit(63)};
  const HypVa slot = world.space().fixmap_map(0, wild);
  const Descriptor leaf = world.space().table().leaf(slot.value).descriptor;
  EXPECT_EQ(address_of(leaf), page);
  EXPECT_EQ(leaf.value & bit(63), 0U);
  EXPECT_EQ(hyp_permission(leaf), prot_rw);
}

u64 asked_about = 0;
bool takes_it(user_pt_regs* /*regs*/, u64 /*esr*/, u64 address) {
  asked_about = address;
  return true;
}

// A data abort outside memory is the IOMMU driver's first; in memory never (7.7, step 1).
TEST(IommuAbortHandler, IsAskedFirst) {
  World world(Generation::android16_6_12);
  kvm_iommu_ops_6_12 driver = hyp_null_iommu_ops_6_12;
  driver.dabt_handler = takes_it;
  ASSERT_EQ(world.hyp().iommu.init({.ops = reinterpret_cast<const IommuOps*>(&driver),
                                    .memcache = {},
                                    .argument = 0,
                                    .incomplete = IncompleteDriver::no_device,
                                    .generation = Generation::android16_6_12},
                                   *world.hyp().iommu_pools),
            0);
  user_pt_regs regs{};
  const auto fault_at = [&](Pa pa) {
    arch::write<Sysreg::esr_el2>(std::uint64_t{0x24} << 26 | 0x07);
    arch::write<Sysreg::far_el2>(8);
    arch::write<Sysreg::hpfar_el2>((pa.value >> 12) << 4);
    hyp_handle_trap(&regs);
  };
  fault_at(uart);
  EXPECT_EQ(asked_about, uart.value + 8);
  EXPECT_FALSE(is_valid(world.host().leaf(uart).descriptor)) << "nothing was mapped for it";
  asked_about = 0;
  fault_at(page);
  EXPECT_EQ(asked_about, 0U);
}

}  // namespace
}  // namespace pkvmemu::hyp::test
