// SPDX-License-Identifier: GPL-2.0-only
#include "observe/pvmfw.h"

#include <gtest/gtest.h>

#include <cstring>

#include "pkvm/guest.h"
#include "pkvm/platform.h"
#include "support/file.h"

namespace pkvmemu::observe {
namespace {

// The firmware fits its region, and its header is one that it accepts itself.
TEST(Pvmfw, TheBuiltinOneIsAFirmwareImage) {
  const auto firmware = builtin_pvmfw();
  EXPECT_LE(firmware.size(), pkvm::platform::pvmfw_size);
  pkvm::guest::ImageHeader header{};
  ASSERT_GE(firmware.size(), sizeof(header));
  std::memcpy(&header, firmware.data(), sizeof(header));
  EXPECT_EQ(header.magic, pkvm::guest::firmware_magic);
  EXPECT_LE(header.size, firmware.size());
}

// One changed byte anywhere counts, behind the firmware too; all bytes zero is a wipe; a short
// region is none.
TEST(Pvmfw, ChecksEveryByte) {
  const auto placed = builtin_pvmfw();
  Bytes intact(placed.begin(), placed.end());
  intact.resize(pkvm::platform::pvmfw_size);
  EXPECT_EQ(check_pvmfw(intact, placed), Pvmfw::intact);
  for (const std::size_t at :
       {std::size_t{0}, placed.size() - 1, placed.size(), intact.size() - 1}) {
    Bytes region = intact;
    region[at] ^= std::byte{1};
    EXPECT_EQ(check_pvmfw(region, placed), Pvmfw::changed) << at;
  }
  EXPECT_EQ(check_pvmfw(Bytes(intact.size()), placed), Pvmfw::zeroed);
  EXPECT_EQ(check_pvmfw({}, placed), Pvmfw::absent);
  EXPECT_EQ(check_pvmfw(placed, {}), Pvmfw::absent);
}

}  // namespace
}  // namespace pkvmemu::observe
