// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/placement.h"

#include <gtest/gtest.h>

#include <cstring>

namespace pkvmemu::symbols {
namespace {

using pkvm::event::Kind;

machine::Event image_placed(std::uint64_t base, std::uint64_t el) {
  machine::Event event;
  event.record.kind = Kind::image_placed;
  event.record.value[0] = base;
  event.record.value[1] = el;
  return event;
}

// A place has an address once its image is placed, and the address leads back to its name, at its
// own exception level alone.
TEST(Placement, AnImageThatIsPlacedHasAddresses) {
  SymbolTable table;
  ASSERT_TRUE(table.add_firmware("hyp", 2, "100 20 T plain\n"));
  Placement placement(table);
  const Spot spot = table.find("plain+4")->spot;
  EXPECT_FALSE(placement.address_of(spot));
  EXPECT_TRUE(placement.saw(image_placed(0x4000'0000, 2)));
  EXPECT_EQ(placement.address_of(spot), Va{0x4000'0104});
  EXPECT_EQ(placement.name_of(Va{0x4000'0104}, 2), "plain+0x4 [hyp]");
  EXPECT_EQ(placement.name_of(Va{0x4000'0104}, 1), "0x40000104");
  EXPECT_EQ(placement.name_of(Va{0x3fff'ffff}, 2), "0x3fffffff");
  EXPECT_EQ(placement.name_of(Va{0x4000'0120}, 2), "0x40000120");
  EXPECT_EQ(placement.spot_at(Va{0x4000'0104}, 2), spot);
  EXPECT_FALSE(placement.spot_at(Va{0x4000'0104}, 1));
  EXPECT_EQ(table.section_of(spot.part), "") << "an image of the firmware has none";
}

// What a guest says of images and modules that have no names is not kept.
TEST(Placement, WhatHasNoNamesIsForgotten) {
  SymbolTable table;
  ASSERT_TRUE(table.add_firmware("hyp", 2, "100 20 T plain\n"));
  Placement placement(table);
  placement.saw(image_placed(0x4000'0000, 1));
  EXPECT_EQ(placement.name_of(Va{0x4000'0104}, 1), "0x40000104");
  machine::Event module;
  module.record.kind = Kind::module_el1_placed;
  std::memcpy(module.record.name, "nosuch", sizeof("nosuch"));
  module.record.value[0] = pkvm::event::pack_section({.section = 3, .address = 0x4000'0000});
  EXPECT_TRUE(placement.saw(module));
  EXPECT_EQ(placement.name_of(Va{0xffff'0000'4000'0000}, 1), "0xffff000040000000");
  machine::Event other;
  other.record.kind = Kind::done;
  EXPECT_FALSE(placement.saw(other));
}

// Sections and their addresses go through a record unchanged.
TEST(Placement, SectionsArePackedWithoutLoss) {
  const auto placed = pkvm::event::unpack_section(
      pkvm::event::pack_section({.section = 77, .address = 0xffff'ffc0'8000'1234}));
  EXPECT_EQ(placed.section, 77U);
  EXPECT_EQ(placed.address, 0xffff'ffc0'8000'1234);
}

}  // namespace
}  // namespace pkvmemu::symbols
