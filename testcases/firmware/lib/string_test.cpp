// SPDX-License-Identifier: GPL-2.0-only
#include "lib/string.h"

#include <gtest/gtest.h>

#include <array>

namespace {

using namespace pkvmemu::fw;

// Length and comparison stop at the limit or the NUL, whichever comes first.
TEST(String, LengthAndCompareRespectLimits) {
  EXPECT_EQ(string_length("hello"), 5U);
  EXPECT_EQ(string_length("hello", 3), 3U);
  EXPECT_EQ(compare_strings("abc", "abd", 2), 0);
  EXPECT_LT(compare_strings("abc", "abd"), 0);
  EXPECT_GT(compare_strings("b", "abc"), 0);
  EXPECT_EQ(compare_strings("a\0x", "a\0y", 3), 0);
}

// Searches find the first and the last match, the NUL itself, and answer null otherwise.
TEST(String, FindFirstAndLast) {
  const char* text = "a/b/c";
  EXPECT_EQ(find_first(text, '/'), text + 1);
  EXPECT_EQ(find_last(text, '/'), text + 3);
  EXPECT_EQ(find_first(text, '\0'), text + 5);
  EXPECT_EQ(find_last(text, '!'), nullptr);
}

// A copy is always terminated, and says whether it was cut.
TEST(String, CopyTerminatesAndReportsTruncation) {
  std::array<char, 4> room{'x', 'x', 'x', 'x'};
  EXPECT_TRUE(copy_string(room, "abc"));
  EXPECT_STREQ(room.data(), "abc");
  EXPECT_FALSE(copy_string(room, "wxyz"));
  EXPECT_STREQ(room.data(), "wxy");
  EXPECT_FALSE(copy_string({}, "a"));
}

// Decimal and hexadecimal numbers up to 2^64 - 1 are read; anything else is refused.
TEST(String, ParseNumber) {
  EXPECT_EQ(parse_number("0"), 0U);
  EXPECT_EQ(parse_number("18446744073709551615"), ~std::uint64_t{0});
  EXPECT_EQ(parse_number("0xfFfF"), 0xffffU);
  for (const char* bad :
       {"", "0x", "12a", "-1", " 1", "18446744073709551616", "0x1ffffffffffffffff"})
    EXPECT_EQ(parse_number(bad), std::nullopt) << bad;
}

// Taking parts off a text consumes the separator, and ends with nothing left.
TEST(String, TakeParts) {
  std::string_view list = "a,,b";
  EXPECT_EQ(take_until(list, ','), "a");
  EXPECT_EQ(take_until(list, ','), "");
  EXPECT_EQ(take_until(list, ','), "b");
  EXPECT_TRUE(list.empty());
  std::string_view words = "  one\ttwo ";
  EXPECT_EQ(take_word(words), "one");
  EXPECT_EQ(take_word(words), "two");
  EXPECT_EQ(take_word(words), "");
  EXPECT_EQ(trim(" \t x y \r\n"), "x y");
  EXPECT_EQ(trim("  "), "");
}

}  // namespace
