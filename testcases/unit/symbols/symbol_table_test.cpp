// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/symbol_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pkvmemu::symbols {
namespace {

using testing::HasSubstr;

SymbolTable firmware() {
  SymbolTable table;
  EXPECT_TRUE(table.add_firmware("hyp", 2,
                                 "0000000000000100 0000000000000020 T plain\n"
                                 "0000000000000100 t __section_mark\n"
                                 "0000000000000140 t _ZN7pkvmemu3hyp12_GLOBAL__N_14takeEm\n"
                                 "0000000000000180 0000000000000008 t _ZN5other4takeEv\n"));
  return table;
}

// A name is found with as many of its scopes as tell it apart, and says where it lies and how long
// it is.
TEST(SymbolTable, NamesAreFoundByTheirLastScopes) {
  const SymbolTable table = firmware();
  const auto plain = table.find("plain+0x8");
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->spot, (Spot{.part = {.image = "hyp", .el = 2}, .offset = 0x108}));
  EXPECT_EQ(plain->size, 0x20U);
  EXPECT_EQ(table.find("hyp::take")->spot.offset, 0x140U);
  EXPECT_EQ(table.find("el2:hyp/other::take")->spot.offset, 0x180U);
}

// What is not there, and what is not one, is refused; the latter with all that it could be.
TEST(SymbolTable, UnknownAndAmbiguousNamesAreRefused) {
  const SymbolTable table = firmware();
  for (const char* name : {"", "lain", "plain+", "el1:plain", "host/plain", "ther::take"})
    EXPECT_FALSE(table.find(name)) << name;
  EXPECT_THAT(table.find("take").error().message,
              HasSubstr("2 symbols: el2:hyp/hyp::take, el2:hyp/other::take"));
}

// A place is called by the symbol before it, and by nothing where the image has ended.
TEST(SymbolTable, PlacesAreCalledByTheSymbolBefore) {
  const SymbolTable table = firmware();
  const auto name = [&](std::uint64_t offset) {
    return table.name_of({.part = {.image = "hyp", .el = 2}, .offset = offset});
  };
  EXPECT_EQ(name(0x10), "[hyp]+0x10");
  EXPECT_EQ(name(0x100), "plain [hyp]");
  EXPECT_EQ(name(0x144), "hyp::take+0x4 [hyp]");
  EXPECT_EQ(name(0x187), "other::take+0x7 [hyp]");
  EXPECT_EQ(name(0x188), "");
  EXPECT_EQ(table.name_of({.part = {.image = "host", .el = 1}, .offset = 0}), "");
}

// A list that is not one is an error with its line.
TEST(SymbolTable, ADamagedListIsAnError) {
  SymbolTable table;
  const auto added = table.add_firmware("hyp", 2, "10 T good\nno address\n");
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message, HasSubstr("line 2"));
}

}  // namespace
}  // namespace pkvmemu::symbols
