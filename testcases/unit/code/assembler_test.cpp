// SPDX-License-Identifier: GPL-2.0-only
#include "code/assembler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "image/elf.h"

namespace pkvmemu::code {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Instructions of the text stand in the object's .text, in its byte order.
TEST(Assembler, TextBecomesCode) {
  const auto object = assemble({.name = "f.S", .text = ".text\nmov x0, #1\nret\n"});
  ASSERT_TRUE(object) << object.error().message;
  const auto elf = image::ElfFile::open(*object);
  ASSERT_TRUE(elf);
  const auto text = elf->find_section(".text");
  ASSERT_TRUE(text);
  constexpr std::array<unsigned char, 8> code = {0x20, 0, 0x80, 0xd2, 0xc0, 0x03, 0x5f, 0xd6};
  EXPECT_TRUE(std::ranges::equal(text->content, std::as_bytes(std::span(code))));
}

// What the assembler refuses is told with the file's own line, each mistake on a line of its own.
TEST(Assembler, MistakesAreToldWithTheirLines) {
  const auto object =
      assemble({.name = "f.yaml", .text = "nop\nfrob x1\nmov x99, #1\n", .first_line = 10});
  ASSERT_FALSE(object);
  EXPECT_THAT(object.error().message,
              AllOf(HasSubstr("f.yaml:11: unrecognized instruction"), HasSubstr("\nf.yaml:12: ")));
}

// One mistake leaves nothing behind that the next text could meet.
TEST(Assembler, EachTextStandsAlone) {
  EXPECT_FALSE(assemble({.name = "f.S", .text = "frob\n"}));
  EXPECT_TRUE(assemble({.name = "f.S", .text = "label: b label\n"}));
  EXPECT_TRUE(assemble({.name = "f.S", .text = "label: b label\n"}));
}

}  // namespace
}  // namespace pkvmemu::code
