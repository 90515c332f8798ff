// SPDX-License-Identifier: GPL-2.0-only
#include "host/number_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace {

using namespace pkvmemu::host;
using pkvm::Errno;

constexpr IntegerType int32{.bits = 32, .is_signed = true};
constexpr IntegerType uint32{.bits = 32, .is_signed = false};
constexpr IntegerType uint8{.bits = 8, .is_signed = false};
constexpr IntegerType int64{.bits = 64, .is_signed = true};
constexpr IntegerType uint64{.bits = 64, .is_signed = false};

struct Row {
  const char* text;
  IntegerType type;
  unsigned base;
  std::uint64_t value;
};

constexpr std::uint64_t minus(std::uint64_t value) {
  return 0 - value;
}

// Base 0 follows the prefix; signs, one newline, and the ends of each type's range.
TEST(NumberText, Integers) {
  for (const Row& row :
       {Row{"0", int32, 0, 0}, Row{"17", int32, 0, 17}, Row{"017", int32, 0, 15},
        Row{"0x17", int32, 0, 23}, Row{"0X1f\n", int32, 0, 31}, Row{"1f", int32, 16, 31},
        Row{"0x1f", int32, 16, 31}, Row{"+5", uint32, 0, 5}, Row{"-5", int32, 0, minus(5)},
        Row{"-0x80000000", int32, 0, minus(0x8000'0000)}, Row{"4294967295", uint32, 0, 0xffff'ffff},
        Row{"255", uint8, 10, 255}, Row{"18446744073709551615", uint64, 0, ~std::uint64_t{0}},
        Row{"-9223372036854775808", int64, 0, minus(std::uint64_t{1} << 63)}}) {
    const auto value = parse_integer(row.text, row.type, row.base);
    ASSERT_TRUE(value) << row.text;
    EXPECT_EQ(*value, row.value) << row.text;
  }
}

// What is no number, and what does not fit its type.
TEST(NumberText, Refusals) {
  for (const char* text : {"", "-", "+", " 1", "1 ", "x", "0x", "08", "1\n\n", "1.5", "--1", "+-1"})
    EXPECT_EQ(parse_integer(text, int32).error_or(Errno::none), Errno::einval) << text;
  EXPECT_EQ(parse_integer("-1", uint32).error_or(Errno::none), Errno::einval);
  EXPECT_EQ(parse_integer("4294967296", uint32).error_or(Errno::none), Errno::erange);
  EXPECT_EQ(parse_integer("2147483648", int32).error_or(Errno::none), Errno::erange);
  EXPECT_EQ(parse_integer("-2147483649", int32).error_or(Errno::none), Errno::erange);
  EXPECT_EQ(parse_integer("256", uint8).error_or(Errno::none), Errno::erange);
  EXPECT_EQ(parse_integer("18446744073709551616", uint64).error_or(Errno::none), Errno::erange);
}

// Only the characters that decide are looked at.
TEST(NumberText, Switches) {
  for (const char* text : {"1", "y", "Yes", "true", "on", "ON", "12"})
    EXPECT_EQ(parse_switch(text).value_or(false), true) << text;
  for (const char* text : {"0", "n", "No", "false", "off", "OFF"})
    EXPECT_EQ(parse_switch(text).value_or(true), false) << text;
  for (const char* text : {"", "o", "2", "perhaps", "-1"})
    EXPECT_FALSE(parse_switch(text)) << text;
}

}  // namespace
