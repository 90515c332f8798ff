// SPDX-License-Identifier: GPL-2.0-only
// What a walk's outcome turns into: status codes, PAR_EL1, TLB permissions.
#include <gtest/gtest.h>

#include "tables.h"

namespace pkvmemu::mmu {
namespace {

// The fault status code is a base for the type plus the level (Arm ARM, ESR_EL1.DFSC).
TEST(FaultStatus, IsTypePlusLevel) {
  EXPECT_EQ((Fault{.type = FaultType::address_size, .level = 2}).status_code(), 0x02);
  EXPECT_EQ((Fault{.type = FaultType::translation, .level = 0}).status_code(), 0x04);
  EXPECT_EQ((Fault{.type = FaultType::access_flag, .level = 1}).status_code(), 0x09);
  EXPECT_EQ((Fault{.type = FaultType::permission, .level = 3}).status_code(), 0x0f);
  EXPECT_EQ((Fault{.type = FaultType::external_abort, .level = 3}).status_code(), 0x17);
}

// PAR_EL1 of a fault: F, FST, PTW, S and the RES1 bit 11.
TEST(Par, ReportsFaults) {
  EXPECT_EQ(encode_par(Fault{.type = FaultType::translation, .level = 1}), 0x80bU);
  EXPECT_EQ(encode_par(Fault{.type = FaultType::permission, .level = 3, .stage = Stage::two}),
            0xa1fU);
  EXPECT_EQ(encode_par(Fault{.level = 2, .stage = Stage::two, .s1ptw = true}), 0xb0dU);
}

// PAR_EL1 of a translation: the page's address, NS, SH and ATTR.
TEST(Par, ReportsTranslations) {
  EXPECT_EQ(encode_par(0x4000'1234, {.mair = 0xff, .shareability = Shareability::inner}),
            0xff00'0000'4000'1b80U);
}

// A read or a fetch never brings write permission into the TLB: the first store must come back.
TEST(FillPermissions, OnlyStoresGrantWrite) {
  EXPECT_EQ(fill_permissions(all_permissions, AccessKind::read),
            (Permissions{.read = true, .execute = true}));
  EXPECT_EQ(fill_permissions(all_permissions, AccessKind::execute),
            (Permissions{.read = true, .execute = true}));
  EXPECT_EQ(fill_permissions(all_permissions, AccessKind::write),
            (Permissions{.read = true, .write = true}))
      << "write and execute never stand together";
}

// Nothing is granted that the walk did not allow.
TEST(FillPermissions, NeverExceedTheWalk) {
  EXPECT_EQ(fill_permissions({.read = true, .write = true}, AccessKind::read),
            (Permissions{.read = true}));
  EXPECT_EQ(fill_permissions({.write = true}, AccessKind::write), (Permissions{.write = true}));
  EXPECT_EQ(fill_permissions({.execute = true}, AccessKind::execute),
            (Permissions{.execute = true}));
}

}  // namespace
}  // namespace pkvmemu::mmu
