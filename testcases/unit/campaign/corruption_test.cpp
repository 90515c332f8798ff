// SPDX-License-Identifier: GPL-2.0-only
// Damage to modules: the list is of all headers and sections, within the file, and named so that a
// case can be run again.
#include "campaign/corruption.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "support/file.h"

namespace pkvmemu::campaign {
namespace {

Bytes hello() {
  return read_file(PKVMEMU_BUILD_DIR "/modules/hello.ko").value();
}

// Every change is of one byte within the file, does change it, and none is there twice.
TEST(DamagedByte, IsOneByteOfTheFile) {
  const Bytes file = hello();
  std::set<std::string> ids;
  for (const DamagedByte& one : damages_of(file)) {
    EXPECT_LT(one.offset, file.size()) << one.where;
    EXPECT_NE(one.mask, 0) << one.where;
    EXPECT_TRUE(ids.insert(id_of("hello.ko", one)).second) << one.where;
  }
  EXPECT_GT(ids.size(), 200U);
}

// Headers of the file, of sections, and contents are all among them.
TEST(DamagedByte, IsOfEveryKind) {
  std::set<std::string> places;
  for (const DamagedByte& one : damages_of(hello()))
    places.insert(one.where);
  EXPECT_THAT(places,
              testing::IsSupersetOf({std::string("e_shoff"), std::string("sh_size of .hyp.text"),
                                     std::string(".hyp.text+0x0")}));
}

// A case's name says what was done, and nothing else is taken for one.
TEST(DamagedByte, IsNamed) {
  const DamagedByte one{.offset = 0x1234, .mask = 0x80, .where = {}};
  const auto read = parse_corruption(id_of("a@b/hello.ko", one));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->file, "a@b/hello.ko");
  EXPECT_EQ(read->damage, one);
  for (const char* wrong : {"", "corrupt:", "corrupt:x", "corrupt:x@0x1", "corrupt:x@1^0x1",
                            "corrupt:x@0x1^0x100", "corrupt:@0x1^0x1", "hyp.donate:nth=1"})
    EXPECT_FALSE(parse_corruption(wrong)) << wrong;
}

// What is no ELF file has no parts to damage.
TEST(DamagedByte, NeedsAnElfFile) {
  constexpr std::array<std::byte, 100> zeros{};
  EXPECT_TRUE(damages_of(zeros).empty());
}

}  // namespace
}  // namespace pkvmemu::campaign
