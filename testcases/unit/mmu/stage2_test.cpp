// SPDX-License-Identifier: GPL-2.0-only
// Stage 2, and stage 1 through stage 2, one rule of the Arm ARM at a time.
#include <gtest/gtest.h>

#include "tables.h"

namespace pkvmemu::mmu {
namespace {

// 40-bit IPAs at start level 1 are 1024 entries: two tables side by side.
constexpr std::uint64_t s2_root = 0x10000, s2_level2 = 0x12000, s2_level3 = 0x13000;
constexpr std::uint64_t s1_root = 0x1000, s1_level2 = 0x2000, s1_level3 = 0x3000;

Fault stage2_fault(FaultType type, std::uint8_t level, std::uint64_t ipa) {
  return {.type = type, .level = level, .stage = Stage::two, .ipa = Ipa{ipa}};
}

class Stage2Test : public ::testing::Test {
 protected:
  Stage2Test() {
    regs_ = {.hcr = hcr::vm, .vtcr = regs::vtcr_40, .vttbr = s2_root};
    memory_.poke(s2_root, s2_level2 | desc::table);
    memory_.poke(s2_level2, s2_level3 | desc::table);
  }
  WalkResult<Pa> walk(std::uint64_t ipa, Access access, Features features = {}) {
    return translate(regs_, Ipa{ipa}, access, {.memory = memory_, .features = features});
  }
  Fault fault(std::uint64_t ipa, Access access) {
    const auto result = walk(ipa, access);
    return result ? Fault{.level = 99} : result.error();
  }

  TableMemory memory_;
  Stage2 regs_;
};

// The second of two concatenated root tables serves the upper half of the IPA space.
TEST_F(Stage2Test, RootTablesAreConcatenated) {
  memory_.poke(s2_root + (600ULL * 8), 0x4000'0000 | desc::block | desc::s2_normal);
  const auto result = walk((600ULL << 30U) | 0x1234, read_access);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, Pa{0x4000'1234});
  EXPECT_EQ(result->size, 0x4000'0000U);
}

// Faults carry stage 2, the level and the whole IPA.
TEST_F(Stage2Test, FaultsNameLevelAndIpa) {
  EXPECT_EQ(fault(0x4000'0042, read_access), stage2_fault(FaultType::translation, 1, 0x4000'0042));
  memory_.poke(s2_level3 + 8, desc::page | desc::s2_read);
  EXPECT_EQ(fault(0x1042, read_access), stage2_fault(FaultType::access_flag, 3, 0x1042));
  memory_.poke(s2_level3 + 8, desc::page | desc::s2_read | desc::af);
  EXPECT_EQ(fault(0x1042, write_access), stage2_fault(FaultType::permission, 3, 0x1042));
}

// S2AP has one bit for reads and one for writes; neither implies the other or execution.
TEST_F(Stage2Test, ReadAndWriteAreIndependent) {
  memory_.poke(s2_level3, desc::page | desc::af | desc::s2_write);
  EXPECT_FALSE(walk(0, read_access));
  EXPECT_TRUE(walk(0, write_access));
  EXPECT_TRUE(walk(0, fetch_access));
}

// Without FEAT_XNX only XN[1] counts; with it, XN[1:0] tells EL0 from EL1.
TEST_F(Stage2Test, ExecuteNeverWithAndWithoutXnx) {
  struct Row {
    bool without, el1, el0;
  };
  const Row rows[] = {
      {true, true, true}, {true, false, true}, {false, false, false}, {false, true, false}};
  for (unsigned xn = 0; xn < 4; ++xn) {
    memory_.poke(s2_level3, desc::page | desc::s2_normal | desc::s2_xn(xn));
    const Features xnx{.xnx = true};
    EXPECT_EQ(walk(0, fetch_access).has_value(), rows[xn].without) << xn;
    EXPECT_EQ(walk(0, fetch_access, xnx).has_value(), rows[xn].el1) << xn;
    EXPECT_EQ(walk(0, at_el0(fetch_access), xnx).has_value(), rows[xn].el0) << xn;
  }
}

// An IPA past the configured size is a level-0 translation fault.
TEST_F(Stage2Test, AddressesPastTheIpaSize) {
  EXPECT_EQ(fault(bit(40), read_access), stage2_fault(FaultType::translation, 0, bit(40)));
}

// Start level, IPA size and PA size must fit together, or every walk is a level-0 fault.
TEST_F(Stage2Test, InconsistentStartLevelsFault) {
  memory_.poke(s2_level3, desc::page | desc::s2_normal);
  ASSERT_TRUE(walk(0, read_access));
  const auto faults = [&](unsigned t0sz, unsigned sl0) {
    regs_.vtcr = t0sz | (sl0 << 6U) | (5U << 16U);
    return fault(0, read_access) == stage2_fault(FaultType::translation, 0, 0);
  };
  EXPECT_TRUE(faults(24, 0)) << "40 bits from level 2 are 1024 tables";
  EXPECT_TRUE(faults(34, 1)) << "30 bits leave level 1 no index";
  EXPECT_TRUE(faults(24, 3)) << "SL0 = 3 is reserved";
  EXPECT_TRUE(faults(18, 1)) << "46 bits are more than the CPU has";
  EXPECT_FALSE(faults(33, 1)) << "31 bits: two entries at level 1";
  EXPECT_FALSE(faults(21, 1)) << "43 bits: 16 tables side by side";
  EXPECT_TRUE(faults(20, 1)) << "44 bits would be 32";
}

// T0SZ outside [16, 39] is a level-0 fault, whatever the start level.
TEST_F(Stage2Test, SizesOutOfRangeFault) {
  memory_.poke(s2_level3, desc::page | desc::s2_normal);
  for (const unsigned t0sz : {0U, 15U, 40U, 63U}) {
    regs_.vtcr = t0sz | (1U << 6U) | (5U << 16U);
    EXPECT_EQ(walk(0, read_access, {.pa_bits = 48}).error(),
              stage2_fault(FaultType::translation, 0, 0))
        << t0sz;
  }
}

// Level 0 needs a CPU with 44 bits of physical address.
TEST_F(Stage2Test, TheTopStartLevelNeedsALargeCpu) {
  regs_.vtcr = 24 | (2U << 6U) | (5U << 16U);
  memory_.poke(s2_root, s2_level2 | desc::table);
  EXPECT_EQ(walk(0, read_access, {.pa_bits = 42}).error(),
            stage2_fault(FaultType::translation, 0, 0));
  EXPECT_EQ(walk(0x8000'0000, read_access, {.pa_bits = 44}).error().level, 1)
      << "the walk goes on below level 0";
}

// Outputs past VTCR_EL2.PS are address-size faults at the level of their descriptor.
TEST_F(Stage2Test, OutputsPastThePhysicalSize) {
  regs_.vtcr = 24 | (1U << 6U) | (2U << 16U);
  memory_.poke(s2_level3, bit(40) | desc::page | desc::s2_normal);
  EXPECT_EQ(fault(0, read_access), stage2_fault(FaultType::address_size, 3, 0));
  regs_.vttbr = bit(40) | s2_root;
  EXPECT_EQ(fault(0, read_access), stage2_fault(FaultType::address_size, 0, 0));
}

// Stage-2 tables outside memory abort at the level of the lookup.
TEST_F(Stage2Test, TablesOutsideMemoryAbort) {
  memory_.poke(s2_root, TableMemory::end | desc::table);
  EXPECT_EQ(fault(0, read_access), stage2_fault(FaultType::external_abort, 2, 0));
}

// Off means flat.
TEST_F(Stage2Test, OffIsFlat) {
  regs_.hcr = 0;
  const auto result = walk(0xdead'b000, write_access);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, Pa{0xdead'b000});
}

// MemAttr names the type: Device kinds, and normal memory by cacheability.
TEST_F(Stage2Test, AttributesComeFromTheDescriptor) {
  const auto mair = [&](unsigned mem_attr) {
    memory_.poke(s2_level3, desc::page | desc::af | desc::s2_read | desc::s2_mem(mem_attr));
    return walk(0, read_access)->attributes.mair;
  };
  EXPECT_EQ(mair(0b0001), 0x04);
  EXPECT_EQ(mair(0b0011), 0x0c);
  EXPECT_EQ(mair(0b0101), 0x44);
  EXPECT_EQ(mair(0b1010), 0xbb);
  EXPECT_EQ(mair(0b1111), 0xff);
}

/// Both stages: stage 2 is the identity for the first 2 MiB, page by page.
class TwoStageTest : public Stage2Test {
 protected:
  TwoStageTest() {
    for (std::uint64_t page = 0; page < 512; ++page)
      memory_.poke(s2_level3 + (page * 8), (page << 12U) | desc::page | desc::s2_normal);
    memory_.poke(s1_root, s1_level2 | desc::table);
    memory_.poke(s1_level2, s1_level3 | desc::table);
    both_.stage1 = {.sctlr = sctlr::m, .tcr = regs::tcr_el1_39, .ttbr0 = s1_root, .mair = 0xff};
    both_.stage2 = regs_;
    map_s1(0, 0x5000, desc::af);
  }
  void map_s1(std::uint64_t va, std::uint64_t ipa, Descriptor extra) {
    memory_.poke(s1_level3 + (va >> 12U) * 8, ipa | desc::page | extra);
  }
  void map_s2(std::uint64_t ipa, std::uint64_t pa, Descriptor extra) {
    memory_.poke(s2_level3 + (ipa >> 12U) * 8, pa | desc::page | extra);
  }
  WalkResult<Pa> walk_both(Access access) {
    return translate(both_, Va{0x321}, access, {.memory = memory_});
  }
  El1Regime both_;
};

// Stage 1's output is stage 2's input; stage 1 alone ends in the intermediate address.
TEST_F(TwoStageTest, StagesFollowEachOther) {
  map_s2(0x5000, 0x7000'0000, desc::s2_normal);
  EXPECT_EQ(walk_both(read_access)->output, Pa{0x7000'0321});
  const auto stage1 = translate_stage1(both_, Va{0x321}, read_access, {.memory = memory_});
  ASSERT_TRUE(stage1);
  EXPECT_EQ(stage1->output, Ipa{0x5321});
}

// The tables of stage 1 are read where stage 2 puts them.
TEST_F(TwoStageTest, StageOneTablesLiveAtIntermediateAddresses) {
  map_s2(s1_level3, 0x9000, desc::s2_normal);
  memory_.poke(0x9000, 0x6000 | desc::page | desc::af);
  EXPECT_EQ(walk_both(read_access)->output, Pa{0x6321});
}

// The permissions are what both stages allow.
TEST_F(TwoStageTest, PermissionsMeet) {
  map_s1(0, 0x5000, desc::af | desc::read_only);
  map_s2(0x5000, 0x5000, desc::s2_normal | desc::s2_xn(2));
  EXPECT_EQ(walk_both(read_access)->permissions, (Permissions{.read = true}));
}

// A fault of stage 2 on the access itself is not s1ptw and carries the access's IPA.
TEST_F(TwoStageTest, AStage2FaultOfTheAccess) {
  map_s2(0x5000, 0x5000, desc::s2_read | desc::af | desc::s2_mem(0xf));
  EXPECT_EQ(walk_both(write_access).error(), stage2_fault(FaultType::permission, 3, 0x5321));
}

// A fault of stage 2 on a table of stage 1 is s1ptw, with stage 2's type and level and the IPA of
// the descriptor; the walk reads, even for a write.
TEST_F(TwoStageTest, AStage2FaultOfTheTableWalk) {
  map_s2(s1_level3, s1_level3, desc::s2_read | desc::s2_write | desc::s2_mem(0xf));
  Fault expected = stage2_fault(FaultType::access_flag, 3, s1_level3);
  expected.s1ptw = true;
  EXPECT_EQ(walk_both(write_access).error(), expected);
  map_s2(s1_level3, s1_level3, desc::s2_read | desc::af | desc::s2_mem(0xf));
  EXPECT_TRUE(walk_both(write_access));
}

// HCR_EL2.PTW refuses tables in Device memory as stage 2 sees it.
TEST_F(TwoStageTest, ProtectedTableWalk) {
  map_s2(s1_level2, s1_level2, desc::s2_read | desc::af | desc::s2_mem(1));
  EXPECT_TRUE(walk_both(read_access));
  both_.stage2.hcr |= hcr::ptw;
  Fault expected = stage2_fault(FaultType::permission, 3, s1_level2);
  expected.s1ptw = true;
  EXPECT_EQ(walk_both(read_access).error(), expected);
}

// DC switches stage 1 off and stage 2 on, with cacheable memory; TGE switches stage 1 off.
TEST_F(TwoStageTest, DefaultCacheableAndTrapGeneral) {
  both_.stage2.hcr = hcr::dc;
  const auto result = translate(both_, Va{0x8321}, read_access, {.memory = memory_});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, Pa{0x8321});
  EXPECT_EQ(result->attributes.mair, 0xff);
  both_.stage2.hcr = hcr::tge;
  EXPECT_EQ(translate(both_, Va{0x8321}, read_access, {.memory = memory_})->output, Pa{0x8321});
}

// The size of a mapping through both stages is that of the smaller leaf.
TEST_F(TwoStageTest, TheSmallerLeafCounts) {
  memory_.poke(s1_level2, desc::block | desc::af);
  EXPECT_EQ(walk_both(read_access)->size, 0x1000U);
}

// Attributes of both stages combine: the stricter type wins, and the wider shareability.
TEST_F(TwoStageTest, AttributesCombine) {
  const auto combined = [&](std::uint8_t mair, unsigned mem_attr, Shareability sh) {
    both_.stage1.mair = mair;
    map_s2(0x5000, 0x5000, desc::s2_read | desc::af | desc::s2_mem(mem_attr) | desc::shareable(sh));
    return walk_both(read_access)->attributes;
  };
  using enum Shareability;
  EXPECT_EQ(combined(0xff, 0xf, inner), (MemoryAttributes{0xff, inner}));
  EXPECT_EQ(combined(0xff, 0b1010, none), (MemoryAttributes{0xbb, none}));
  EXPECT_EQ(combined(0xff, 0b0101, none), (MemoryAttributes{0x44, outer}));
  EXPECT_EQ(combined(0x04, 0xf, none), (MemoryAttributes{0x04, outer}));
  EXPECT_EQ(combined(0x0c, 0b0001, none), (MemoryAttributes{0x04, outer}));
  EXPECT_EQ(combined(0xff, 0b0000, inner), (MemoryAttributes{0x00, outer}));
}

}  // namespace
}  // namespace pkvmemu::mmu
