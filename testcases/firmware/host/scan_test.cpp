// SPDX-License-Identifier: GPL-2.0-only
#include "host/scan.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>

namespace pkvmemu::host {
namespace {

int scan(const char* text, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int stored = scan_text(text, format, arguments);
  va_end(arguments);
  return stored;
}

// Each conversion takes what belongs to it and stores as many bytes as its length says.
TEST(ScanText, TakesValuesOfEachKind) {
  int number = 0;
  unsigned hexadecimal = 0;
  std::uint64_t wide = 0;
  signed char small = 0;
  std::array<char, 8> word{};
  EXPECT_EQ(scan("-5 0xBEef 18446744073709551615 200 word rest", "%d %x %lu %hhd %7s", &number,
                 &hexadecimal, &wide, &small, word.data()),
            5);
  EXPECT_EQ(number, -5);
  EXPECT_EQ(hexadecimal, 0xbeefU);
  EXPECT_EQ(wide, ~std::uint64_t{0});
  EXPECT_EQ(small, -56);
  EXPECT_STREQ(word.data(), "word");
}

// The base of %i is that of the text; octal digits end where they must.
TEST(ScanText, FindsTheBaseOfTheText) {
  std::array<int, 4> values{};
  EXPECT_EQ(scan("0x1f 017 19 0", "%i %i %i %i", values.data(), &values[1], &values[2], &values[3]),
            4);
  EXPECT_EQ(values, (std::array{31, 15, 19, 0}));
}

// Widths cut numbers and words; %c takes blanks, and no more than asked for; %n counts, and is no
// value of its own.
TEST(ScanText, HonoursWidths) {
  int first = 0;
  int second = 0;
  int taken = 0;
  std::array<char, 3> letters{'.', '.', '.'};
  EXPECT_EQ(scan("123456 x", "%3d%2d%*d%n%2c", &first, &second, &taken, letters.data()), 3);
  EXPECT_EQ(first, 123);
  EXPECT_EQ(second, 45);
  EXPECT_EQ(taken, 6);
  EXPECT_EQ(letters, (std::array{' ', 'x', '.'}));
}

// Sets of characters, with ranges and the other way round.
TEST(ScanText, TakesSets) {
  std::array<char, 16> key{};
  std::array<char, 16> value{};
  EXPECT_EQ(scan("a-b_9=rest;", "%15[a-z0-9_-]=%15[^;]", key.data(), value.data()), 2);
  EXPECT_STREQ(key.data(), "a-b_9");
  EXPECT_STREQ(value.data(), "rest");
}

// The bad twins: text that does not match or is over, a sign where none may be; what is behind
// stays as it was.
TEST(ScanText, StopsAtWhatDoesNotMatch) {
  unsigned first = 7;
  unsigned second = 7;
  EXPECT_EQ(scan("3,x", "%u,%u", &first, &second), 1);
  EXPECT_EQ(first, 3U);
  EXPECT_EQ(second, 7U);
  EXPECT_EQ(scan("3;4", "%u,%u", &first, &second), 1);
  EXPECT_EQ(scan("", "%u", &first), 0);
  EXPECT_EQ(scan("-3", "%u", &first), 0);
  EXPECT_EQ(scan("+3", "%u", &first), 0);
  EXPECT_EQ(scan("50%", "%u%%%u", &first, &second), 1);
  EXPECT_EQ(second, 7U);
}

// Numbers that fit are what the C library reads, whatever their base and what is around them.
TEST(ScanText, AgreesWithTheLibrary) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  constexpr std::array<const char*, 3> formats = {"%d", "%x", "%o"};
  for (int round = 0; round < 2000; ++round) {
    const char* format = formats[random() % formats.size()];
    std::array<char, 64> text{};
    const auto given = static_cast<int>(random() >> (random() % 63));
    std::snprintf(text.data(), text.size(), format, given);
    const std::string whole = std::string(random() % 3, ' ') + text.data() + ";";
    int ours = 0;
    int theirs = 0;
    const std::string both = std::string(format) + ";";
    EXPECT_EQ(scan(whole.c_str(), both.c_str(), &ours),
              std::sscanf(whole.c_str(), both.c_str(), &theirs))
        << whole;
    EXPECT_EQ(ours, theirs) << whole;
  }
}

}  // namespace
}  // namespace pkvmemu::host
