// SPDX-License-Identifier: GPL-2.0-only
// The hypervisor's address space (pkvm-abi.md 7.1), what a Prot may be (1.1), and the memory map.
#include "hyp/layout.h"

#include <gtest/gtest.h>

#include "hyp/memory_map.h"
#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

using pkvm::Generation;

constexpr const AddressRules& rules = address_rules(Generation::android15_6_6);

// The measured first module address, and the same rule at 39 bits and with more CPUs.
TEST(LayoutTest, FirstModuleAddress) {
  EXPECT_EQ(Layout::make(48, Pa{0x4020'0000}, 1, rules).first_free, HypVa{0x4000'0840'0000});
  EXPECT_EQ(Layout::make(39, Pa{0x4020'0000}, 1, rules).first_free, HypVa{0x20'0840'0000});
  EXPECT_EQ(Layout::make(39, Pa{0x4020'0000}, 8, rules).first_free, HypVa{0x20'0840'0000});
}

// The private half is the one without the idmap.
TEST(LayoutTest, PrivateRangeAvoidsTheIdmap) {
  EXPECT_EQ(Layout::make(39, Pa{0x20'4000'0000}, 1, rules).private_base, HypVa{0});
  EXPECT_EQ(Layout::make(39, Pa{0x4000'0000}, 1, rules).private_base, HypVa{0x20'0000'0000});
}

// A stack is the upper of two pages, so bit 12 of any address in it is set; the lower one is never
// mapped.
TEST(LayoutTest, StacksHaveGuardPages) {
  const Layout layout = Layout::make(39, Pa{0x4000'0000}, 4, rules);
  for (unsigned cpu = 0; cpu < 4; ++cpu) {
    EXPECT_TRUE(test_bit(layout.stack_page(cpu).value, 12));
    EXPECT_TRUE(test_bit(layout.stack_top(cpu).value - 1, 12));
    EXPECT_LT(layout.stack_top(cpu), layout.block_slot);
  }
}

// Which protections a mapping at EL2 may have.
TEST(ProtTest, HypMappingRules) {
  using P = Prot;
  struct Row {
    std::uint64_t prot;
    bool old_ok;
    bool new_ok;  // 6.12
  };
  for (const Row& row :
       {Row{P::r, true, true}, Row{P::r | P::w, true, true}, Row{P::r | P::x, true, true},
        Row{P::r | P::w | P::x, false, false}, Row{P::w, false, false}, Row{P::x, false, false},
        Row{0, false, false}, Row{P::r | P::pxn, false, false}, Row{P::r | P::uxn, false, false},
        Row{P::r | P::w | P::device, true, true}, Row{P::r | P::x | P::device, false, false},
        Row{P::r | P::w | P::nc, true, true}, Row{P::r | P::device | P::nc, false, false},
        Row{P::r | P::x | P::nc, true, false}}) {
    EXPECT_EQ(
        hyp_attributes(Prot{row.prot}, PageState::owned, Generation::android15_6_6).has_value(),
        row.old_ok)
        << row.prot;
    EXPECT_EQ(
        hyp_attributes(Prot{row.prot}, PageState::owned, Generation::android16_6_12).has_value(),
        row.new_ok)
        << row.prot;
  }
}

// Permission and state survive the way into a descriptor and back.
TEST(ProtTest, DescriptorsRoundTrip) {
  for (const Prot prot : {prot_rw, prot_rx, prot_ro})
    for (const PageState state :
         {PageState::owned, PageState::shared_owned, PageState::shared_borrowed}) {
      const auto attributes = hyp_attributes(prot, state, Generation::android15_6_6).value();
      const Descriptor d = leaf_descriptor(Pa{0x1234'5000}, attributes, last_level);
      EXPECT_EQ(hyp_permission(d), prot);
      EXPECT_EQ(state_of(d), state);
      EXPECT_EQ(address_of(d), Pa{0x1234'5000});
      EXPECT_EQ(attributes_of(d), attributes);
    }
  EXPECT_EQ(annotated_owner(owner_annotation(OwnerId{4})), OwnerId{4});
}

// Regions, the holes between them, and ranges across their edges.
TEST(MemoryMapTest, FindsRegionsAndHoles) {
  const World world;
  const MemoryMap& map = world.host().memory();
  EXPECT_EQ(map.find(ram_begin).kind, MemoryKind::ram);
  EXPECT_EQ(map.find(no_map_begin).kind, MemoryKind::no_map);
  EXPECT_EQ(map.find(no_map_begin - 1).kind, MemoryKind::ram);
  EXPECT_EQ(map.find(ram_end).kind, MemoryKind::mmio);
  EXPECT_EQ(map.find(uart).range.begin, Pa{0});
  EXPECT_EQ(map.find(uart).range.end, ram_begin);
  EXPECT_EQ(map.find(ram_end).range.begin, ram_end);
  EXPECT_TRUE(map.is_ram(PaRange{ram_begin, ram_end})) << "across three regions";
  EXPECT_FALSE(map.is_ram(PaRange{ram_begin, ram_end + 1}));
  EXPECT_TRUE(map.is_mmio(PaRange{Pa{0}, ram_begin}));
  EXPECT_FALSE(map.is_mmio(PaRange{Pa{0}, ram_begin + 1}));
}

class HypSpaceTest : public testing::Test {
 protected:
  World world;
  HypSpace& space = world.space();
};

// The private cursor moves by whole pages, keeps the offset in the page, and is not given back.
TEST_F(HypSpaceTest, PrivateMappings) {
  const HypVa first = space.cursor();
  const HypVa va = space.create_private_mapping(Pa{0x0900'0010}, 0x1000, prot_device).value();
  EXPECT_EQ(va, first + 0x10);
  EXPECT_EQ(space.cursor(), first + (2 * page_size)) << "0x10 + 0x1000 touches two pages";
  EXPECT_EQ(space.create_private_mapping(Pa{0x0900'0000}, 1, prot_rwx).error(), Errno::einval);
  EXPECT_EQ(space.cursor(), first + (3 * page_size)) << "the address is lost, as in the kernel";
  EXPECT_FALSE(space.is_mapped(first + (2 * page_size)));
}

// The range ends at the vmemmap, whatever the arithmetic of the caller.
TEST_F(HypSpaceTest, PrivateRangeIsBounded) {
  const HypVa before = space.cursor();
  const std::uint64_t room = (space.layout().vmemmap - before) / page_size;
  EXPECT_EQ(space.take_va(room + 1).error(), Errno::enomem);
  EXPECT_EQ(space.take_va(~std::uint64_t{0}).error(), Errno::enomem);
  EXPECT_EQ(space.create_private_mapping(Pa{0x10}, ~std::uint64_t{0}, prot_rw).error(),
            Errno::enomem);
  EXPECT_EQ(space.cursor(), before);
  EXPECT_TRUE(space.take_va(room).has_value());
  EXPECT_EQ(space.take_va(1).error(), Errno::enomem);
}

// The fixmap's slot shows one page at a time; a second map replaces the first.
TEST_F(HypSpaceTest, FixmapShowsOnePage) {
  const HypVa va = space.fixmap_map(0, Pa{0x4000'1010});
  EXPECT_EQ(va, space.layout().fixmap_slot(0) + 0x10);
  EXPECT_EQ(address_of(space.table().leaf(va.value).descriptor), Pa{0x4000'1000});
  space.fixmap_map(0, Pa{0x4000'2000});
  EXPECT_EQ(address_of(space.table().leaf(va.value).descriptor), Pa{0x4000'2000});
  space.fixmap_unmap(0);
  EXPECT_FALSE(space.is_mapped(va));
  space.fixmap_unmap(0);
}

}  // namespace
}  // namespace pkvmemu::hyp::test
