// SPDX-License-Identifier: GPL-2.0-only
// Stage 1 of EL1&0 and EL2, one rule of the Arm ARM at a time.
#include <gtest/gtest.h>

#include "tables.h"

namespace pkvmemu::mmu {
namespace {

constexpr std::uint64_t level0 = 0x1000, level1 = 0x2000, level2 = 0x3000, level3 = 0x4000;
constexpr std::uint64_t high_root = 0x8000;

Permissions permissions(bool read, bool write, bool execute) {
  return {.read = read, .write = write, .execute = execute};
}

/// Stage 2 off, 39-bit halves, a chain of tables at index 0 of each level below level 1.
class El1Stage1Test : public ::testing::Test {
 protected:
  El1Stage1Test() {
    regs_.stage1 = {.sctlr = sctlr::m,
                    .tcr = regs::tcr_el1_39,
                    .ttbr0 = level1,
                    .ttbr1 = high_root,
                    .mair = 0x00'00'00'00'00'44'04'ff};
    memory_.poke(level1, level2 | desc::table);
    memory_.poke(level2, level3 | desc::table);
  }
  WalkResult<Pa> walk(std::uint64_t va, Access access) {
    return translate(regs_, Va{va}, access, {.memory = memory_});
  }
  Fault fault(std::uint64_t va, Access access) {
    const auto result = walk(va, access);
    return result ? Fault{.level = 99} : result.error();
  }
  /// What a privilege may do with the page at VA 0, asking for one that is allowed.
  Permissions permissions_at(Privilege privilege) {
    for (const auto kind : {AccessKind::read, AccessKind::execute})
      if (const auto result = walk(0, {.kind = kind, .privilege = privilege}))
        return result->permissions;
    return {};
  }
  Permissions el1() { return permissions_at(Privilege::privileged); }
  Permissions el0() { return permissions_at(Privilege::unprivileged); }

  TableMemory memory_;
  El1Regime regs_;
};

// A page maps its 4 KiB: the output keeps the low 12 bits of the address.
TEST_F(El1Stage1Test, APageTranslatesItsLowBits) {
  memory_.poke(level3 + (5ULL * 8), 0x7654'3000 | desc::page | desc::af);
  const auto result = walk(0x5abc, read_access);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, Pa{0x7654'3abc});
  EXPECT_EQ(result->size, 0x1000U);
  EXPECT_EQ(result->level, 3U);
}

// Blocks at levels 1 and 2 map 1 GiB and 2 MiB; RES0 bits under the block's size are ignored.
TEST_F(El1Stage1Test, BlocksTranslateTheirLowBits) {
  memory_.poke(level1 + 8, 0x8000'0000 | 0x1f000 | desc::block | desc::af);
  memory_.poke(level2 + 8, 0x4020'0000 | 0x3000 | desc::block | desc::af);
  const auto gib = walk(0x5234'5678, read_access);
  ASSERT_TRUE(gib);
  EXPECT_EQ(gib->output, Pa{0x9234'5678});
  EXPECT_EQ(gib->size, 0x4000'0000U);
  const auto mib = walk(0x2f'ffff, read_access);
  ASSERT_TRUE(mib);
  EXPECT_EQ(mib->output, Pa{0x402f'ffff});
  EXPECT_EQ(mib->level, 2U);
}

// An invalid descriptor faults at the level where the walk found it.
TEST_F(El1Stage1Test, InvalidDescriptorsFaultAtTheirLevel) {
  EXPECT_EQ(fault(0x4000'0000, read_access), (Fault{.level = 1}));
  EXPECT_EQ(fault(0x20'0000, read_access), (Fault{.level = 2}));
  EXPECT_EQ(fault(0x1000, read_access), (Fault{.level = 3}));
  EXPECT_EQ(fault(0x1000, read_access).status_code(), 0b00'0111);
}

// The block encoding at level 3 is reserved: a translation fault.
TEST_F(El1Stage1Test, ABlockAtTheLastLevelIsInvalid) {
  memory_.poke(level3, desc::block | desc::af);
  EXPECT_EQ(fault(0, read_access), (Fault{.level = 3}));
}

// With 48 bits the walk starts at level 0, where 4 KiB tables have no blocks.
TEST_F(El1Stage1Test, ABlockAtLevel0IsInvalid) {
  regs_.stage1.tcr = regs::tcr_el1_48;
  regs_.stage1.ttbr0 = level0;
  memory_.poke(level0, desc::block | desc::af);
  EXPECT_EQ(fault(0, read_access), (Fault{.level = 0}));
  memory_.poke(level0, level1 | desc::table);
  memory_.poke(level3, 0x9000 | desc::page | desc::af);
  EXPECT_TRUE(walk(0, read_access));
}

// Bit 55 chooses the half; the bits between the halves belong to nobody.
TEST_F(El1Stage1Test, EachHalfHasItsOwnTables) {
  memory_.poke(high_root, 0x4000'0000 | desc::block | desc::af);
  const auto high = walk(0xffff'ff80'0000'0123, read_access);
  ASSERT_TRUE(high);
  EXPECT_EQ(high->output, Pa{0x4000'0123});
  EXPECT_EQ(fault(0x0000'0080'0000'0000, read_access), (Fault{.level = 0}));
  EXPECT_EQ(fault(0xffff'ff7f'ffff'ffff, read_access), (Fault{.level = 0}));
}

// The byte above bit 55 is a tag when TBI says so, and for fetches only while TBID is clear.
TEST_F(El1Stage1Test, TopByteIgnoreFollowsTbiAndTbid) {
  memory_.poke(level3, 0x9000 | desc::page | desc::af);
  constexpr std::uint64_t tagged = 0xa500'0000'0000'0000;
  EXPECT_EQ(fault(tagged, read_access), (Fault{.level = 0}));
  regs_.stage1.tcr |= bit(37);
  EXPECT_TRUE(walk(tagged, read_access));
  EXPECT_TRUE(walk(tagged, fetch_access));
  regs_.stage1.tcr |= bit(51);
  EXPECT_TRUE(walk(tagged, read_access));
  EXPECT_EQ(fault(tagged, fetch_access), (Fault{.level = 0}));
}

// EPD0 and EPD1 forbid walks of their half.
TEST_F(El1Stage1Test, WalksCanBeDisabledForEachHalf) {
  memory_.poke(level3, 0x9000 | desc::page | desc::af);
  memory_.poke(high_root, desc::block | desc::af);
  regs_.stage1.tcr |= bit(7);
  EXPECT_EQ(fault(0, read_access), (Fault{.level = 0}));
  EXPECT_TRUE(walk(0xffff'ff80'0000'0000, read_access));
  regs_.stage1.tcr = regs::tcr_el1_39 | bit(23);
  EXPECT_TRUE(walk(0, read_access));
  EXPECT_EQ(fault(0xffff'ff80'0000'0000, read_access), (Fault{.level = 0}));
}

// AF = 0 faults, before permissions are looked at.
TEST_F(El1Stage1Test, TheAccessFlagComesBeforePermissions) {
  memory_.poke(level3, desc::page | desc::read_only);
  EXPECT_EQ(fault(0, write_access), (Fault{.type = FaultType::access_flag, .level = 3}));
  memory_.poke(level3, desc::page | desc::read_only | desc::af);
  EXPECT_EQ(fault(0, write_access), (Fault{.type = FaultType::permission, .level = 3}));
}

// AP[2:1] gives EL1 and EL0 their data permissions; what EL0 may write EL1 does not execute.
TEST_F(El1Stage1Test, AccessPermissionsOfBothLevels) {
  struct Row {
    Descriptor ap;
    Permissions el1, el0;
  };
  const Row rows[] = {
      {0, permissions(true, true, true), permissions(false, false, true)},
      {desc::unprivileged, permissions(true, true, false), permissions(true, true, true)},
      {desc::read_only, permissions(true, false, true), permissions(false, false, true)},
      {desc::unprivileged | desc::read_only, permissions(true, false, true),
       permissions(true, false, true)}};
  for (const Row& row : rows) {
    memory_.poke(level3, desc::page | desc::af | row.ap);
    EXPECT_EQ(el1(), row.el1) << "AP " << (row.ap >> 6U);
    EXPECT_EQ(el0(), row.el0) << "AP " << (row.ap >> 6U);
  }
}

// PXN concerns EL1 only, UXN concerns EL0 only.
TEST_F(El1Stage1Test, ExecuteNeverIsPerLevel) {
  memory_.poke(level3, desc::page | desc::af | desc::pxn);
  EXPECT_FALSE(el1().execute);
  EXPECT_TRUE(el0().execute);
  memory_.poke(level3, desc::page | desc::af | desc::uxn);
  EXPECT_TRUE(el1().execute);
  EXPECT_FALSE(el0().execute);
}

// SCTLR_EL1.WXN: what a level may write it may not execute.
TEST_F(El1Stage1Test, WritableImpliesExecuteNever) {
  regs_.stage1.sctlr |= sctlr::wxn;
  memory_.poke(level3, desc::page | desc::af);
  EXPECT_EQ(el1(), permissions(true, true, false));
  EXPECT_TRUE(el0().execute);
  memory_.poke(level3, desc::page | desc::af | desc::unprivileged);
  EXPECT_EQ(el0(), permissions(true, true, false));
  memory_.poke(level3, desc::page | desc::af | desc::read_only);
  EXPECT_TRUE(el1().execute);
}

// Limits in table descriptors hold for all below them, unless HPD ignores them.
TEST_F(El1Stage1Test, TableDescriptorsLimitWhatIsBelow) {
  memory_.poke(level3, desc::page | desc::af | desc::unprivileged);
  memory_.poke(level1, level2 | desc::table | desc::read_only_table);
  EXPECT_EQ(el0(), permissions(true, false, true));
  EXPECT_TRUE(el1().execute) << "no longer writable by EL0";
  memory_.poke(level1, level2 | desc::table | desc::no_unprivileged_table);
  EXPECT_EQ(el0(), permissions(false, false, true));
  memory_.poke(level1, level2 | desc::table | desc::uxn_table);
  EXPECT_FALSE(el0().execute);
  memory_.poke(level3, desc::page | desc::af);
  memory_.poke(level1, level2 | desc::table);
  memory_.poke(level2, level3 | desc::table | desc::pxn_table);
  EXPECT_FALSE(el1().execute);
  regs_.stage1.tcr |= bit(41);  // HPD0
  EXPECT_TRUE(el1().execute);
}

// PAN takes EL1's data accesses to what EL0 can reach, and leaves fetches and EL0 alone.
TEST_F(El1Stage1Test, PrivilegedAccessNever) {
  memory_.poke(level3, desc::page | desc::af | desc::unprivileged | desc::read_only);
  regs_.stage1.pan = true;
  EXPECT_EQ(fault(0, read_access), (Fault{.type = FaultType::permission, .level = 3}));
  EXPECT_TRUE(walk(0, fetch_access));
  EXPECT_TRUE(walk(0, at_el0(read_access)));
}

// Output and table addresses past IPS are address-size faults at the level of their descriptor,
// past IPS in TTBR at level 0.
TEST_F(El1Stage1Test, AddressesPastTheOutputSize) {
  constexpr std::uint64_t past_40_bits = bit(41);
  regs_.stage1.tcr = 25 | (2ULL << 32);
  memory_.poke(level3, past_40_bits | desc::page | desc::af);
  EXPECT_EQ(fault(0, read_access), (Fault{.type = FaultType::address_size, .level = 3}));
  memory_.poke(level2, past_40_bits | desc::table);
  EXPECT_EQ(fault(0, read_access), (Fault{.type = FaultType::address_size, .level = 2}));
  EXPECT_EQ(fault(0, read_access).status_code(), 0b00'0010);
  regs_.stage1.ttbr0 = past_40_bits | level1;
  EXPECT_EQ(fault(0, read_access), (Fault{.type = FaultType::address_size, .level = 0}));
}

// IPS cannot grant more than the CPU has.
TEST_F(El1Stage1Test, TheOutputSizeIsAtMostThatOfTheCpu) {
  memory_.poke(level3, bit(44) | desc::page | desc::af);
  EXPECT_EQ(fault(0, read_access), (Fault{.type = FaultType::address_size, .level = 3}));
  const WalkContext large{.memory = memory_, .features = {.pa_bits = 48}};
  EXPECT_TRUE(translate(regs_, Va{0}, read_access, large));
}

// A size outside [16, 39] is a level-0 translation fault.
TEST_F(El1Stage1Test, SizesOutOfRangeFault) {
  memory_.poke(level3, desc::page | desc::af);
  for (const unsigned txsz : {0U, 15U, 40U, 63U}) {
    regs_.stage1.tcr = (regs::tcr_el1_39 & ~0x3fULL) | txsz;
    EXPECT_EQ(fault(0, read_access), (Fault{.level = 0})) << txsz;
  }
}

// Memory that does not answer a walk is an external abort at the level of the lookup.
TEST_F(El1Stage1Test, TablesOutsideMemoryAbort) {
  memory_.poke(level2, TableMemory::end | desc::table);
  EXPECT_EQ(fault(0, read_access), (Fault{.type = FaultType::external_abort, .level = 3}));
  EXPECT_EQ(fault(0, read_access).status_code(), 0b01'0111);
}

// AttrIndx picks a byte of MAIR; Device and non-cacheable memory is outer shareable whatever SH
// says.
TEST_F(El1Stage1Test, AttributesComeFromMair) {
  const auto attributes = [&](Descriptor extra) {
    memory_.poke(level3, desc::page | desc::af | extra);
    return walk(0, read_access)->attributes;
  };
  EXPECT_EQ(attributes(desc::shareable(Shareability::inner)),
            (MemoryAttributes{0xff, Shareability::inner}));
  EXPECT_EQ(attributes(desc::attr_index(1)), (MemoryAttributes{0x04, Shareability::outer}));
  EXPECT_EQ(attributes(desc::attr_index(2)), (MemoryAttributes{0x44, Shareability::outer}));
  EXPECT_TRUE(attributes(desc::attr_index(1)).is_device());
}

// The contiguous bit is a hint: nothing about the page changes.
TEST_F(El1Stage1Test, TheContiguousBitChangesNothing) {
  memory_.poke(level3, 0x9000 | desc::page | desc::af | desc::contiguous);
  const auto result = walk(0x123, read_access);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, Pa{0x9123});
  EXPECT_EQ(result->size, 0x1000U);
}

// With the MMU off addresses pass through as Device memory, as far as there are address bits.
TEST_F(El1Stage1Test, MmuOffIsFlat) {
  regs_.stage1.sctlr = 0;
  const auto result = walk(0x1234'5678, fetch_access);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, Pa{0x1234'5678});
  EXPECT_EQ(result->permissions, all_permissions);
  EXPECT_TRUE(result->attributes.is_device());
  EXPECT_EQ(fault(bit(44), read_access), (Fault{.type = FaultType::address_size, .level = 0}));
  regs_.stage1.tcr |= bit(37);
  EXPECT_EQ(walk(0xff00'0000'0000'1000, read_access)->output, Pa{0x1000}) << "TBI drops the tag";
}

/// 16 and 64 KiB: start levels, strides and block sizes come from the granule's row.
TEST_F(El1Stage1Test, LargeGranulesHaveTheirOwnShape) {
  TableMemory memory;
  El1Regime regs{.stage1 = {.sctlr = sctlr::m,
                            .tcr = 17 | (2U << 14) | (5ULL << 32),  // 47 bits, 16 KiB: level 1
                            .ttbr0 = 0x10000}};
  const auto walk_va = [&](std::uint64_t va) {
    return translate(regs, Va{va}, read_access, {.memory = memory});
  };
  memory.poke(0x10000 + (3ULL * 8), 0x20000 | desc::table);
  memory.poke(0x20000 + (2ULL * 8), 0x0600'0000 | desc::block | desc::af);
  const std::uint64_t va = (3ULL << 36) | (2ULL << 25) | 0x12345;
  ASSERT_TRUE(walk_va(va));
  EXPECT_EQ(walk_va(va)->output, Pa{0x0601'2345});
  EXPECT_EQ(walk_va(va)->size, 0x200'0000U);
  memory.poke(0x10000, desc::block | desc::af);
  EXPECT_EQ(walk_va(0).error(), (Fault{.level = 1})) << "16 KiB tables have no level-1 block";

  regs.stage1.tcr = 22 | (1U << 14) | (5ULL << 32);  // 42 bits, 64 KiB: level 2
  memory.poke(0x10000 + 8, 0x2000'0000 | desc::block | desc::af);
  ASSERT_TRUE(walk_va(0x2000'0042));
  EXPECT_EQ(walk_va(0x2000'0042)->output, Pa{0x2000'0042});
  EXPECT_EQ(walk_va(0x2000'0042)->size, 0x2000'0000U);
}

/// EL2: one half, 48 bits.
class El2Test : public El1Stage1Test {
 protected:
  El2Test() {
    el2_ = {.sctlr = sctlr::m, .tcr = regs::tcr_el2_48, .ttbr0 = level0, .mair = 0xff};
    memory_.poke(level0, level1 | desc::table);
  }
  WalkResult<Pa> walk_el2(std::uint64_t va, Access access) {
    return translate(el2_, Va{va}, access, {.memory = memory_});
  }
  El2Regime el2_;
};

// EL2 has only the half of zeros, and bit 55 is no exception.
TEST_F(El2Test, HasNoUpperHalf) {
  memory_.poke(level3, desc::page | desc::af);
  EXPECT_TRUE(walk_el2(0, read_access));
  EXPECT_EQ(walk_el2(0xffff'0000'0000'0000, read_access).error(), (Fault{.level = 0}));
  EXPECT_EQ(walk_el2(bit(48), read_access).error(), (Fault{.level = 0}));
  el2_.tcr |= bit(20);  // TBI
  EXPECT_TRUE(walk_el2(0xff00'0000'0000'0000, read_access));
  EXPECT_EQ(walk_el2(bit(55), read_access).error(), (Fault{.level = 0}));
}

// XN, AP[2] and WXN are EL2's; AP[1] and PXN mean nothing there.
TEST_F(El2Test, PermissionsIgnoreTheUnprivilegedSide) {
  const auto permissions_of = [&](Descriptor extra) {
    memory_.poke(level3, desc::page | desc::af | extra);
    return walk_el2(0, read_access)->permissions;
  };
  EXPECT_EQ(permissions_of(desc::unprivileged | desc::pxn), all_permissions);
  EXPECT_EQ(permissions_of(desc::uxn), permissions(true, true, false));
  EXPECT_EQ(permissions_of(desc::read_only), permissions(true, false, true));
  el2_.sctlr |= sctlr::wxn;
  EXPECT_EQ(permissions_of(0), permissions(true, true, false));
  EXPECT_EQ(permissions_of(desc::read_only), permissions(true, false, true));
}

// A write to a read-only EL2 page is a level-3 permission fault of stage 1.
TEST_F(El2Test, WritesToReadOnlyPagesFault) {
  memory_.poke(level3, desc::page | desc::af | desc::read_only);
  const auto result = walk_el2(0, write_access);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), (Fault{.type = FaultType::permission, .level = 3}));
  EXPECT_EQ(result.error().status_code(), 0b00'1111);
}

}  // namespace
}  // namespace pkvmemu::mmu
