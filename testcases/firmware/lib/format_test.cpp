// SPDX-License-Identifier: GPL-2.0-only
#include "lib/format.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <limits>
#include <string>

#include "lib/string.h"

namespace {

using namespace pkvmemu::fw;

std::string formatted(const char* format, ...) {
  std::array<char, 256> text{};
  va_list arguments;
  va_start(arguments, format);
  const std::size_t size = format_text(text, format, arguments);
  va_end(arguments);
  EXPECT_EQ(size, std::string(text.data()).size());
  return text.data();
}

template <typename... Args>
void expect_as_libc(const char* format, Args... args) {
  std::array<char, 256> theirs{};
  std::snprintf(theirs.data(), theirs.size(), format, args...);
  EXPECT_EQ(formatted(format, args...), theirs.data()) << "format: " << format;
}

// Every combination of flags, width and precision on integers prints what the C library prints.
TEST(Format, IntegersAgreeWithTheCLibrary) {
  for (const char* flags : {"", "-", "+", " ", "0", "-0", "+0", "#", "#0"})
    for (const char* size : {"", "1", "8", "20", ".0", ".3", "8.3", "3.8"})
      for (const char* letter : {"d", "u", "x", "X", "o"}) {
        const bool is_signed = *letter == 'd';
        const std::string start = std::string("%") + flags + size;
        if (is_signed == (std::string(flags).find('#') != std::string::npos)) continue;
        if (!is_signed && std::string(flags).find_first_of("+ ") != std::string::npos) continue;
        if (std::string(flags).find('#') != std::string::npos && *letter == 'u') continue;
        for (const int value : {0, 1, -1, 0x1234, std::numeric_limits<int>::min()}) {
          expect_as_libc((start + letter).c_str(), value);
          expect_as_libc((start + "l" + letter).c_str(), static_cast<long>(value));
          expect_as_libc((start + "hh" + letter).c_str(), value);
        }
      }
}

// Lengths select the width of the argument.
TEST(Format, Lengths) {
  expect_as_libc("%llx %lx %zu %hd %hhu", ~0ULL, ~0UL, std::size_t{7}, -3, 257);
  expect_as_libc("%ld %lld", std::numeric_limits<long>::min(), -5LL);
  expect_as_libc("%*d|%-*d|%.*s", 6, 42, 6, 42, 2, "abc");
}

// Strings and characters honour width, precision, and a null pointer.
TEST(Format, StringsAndCharacters) {
  expect_as_libc("[%s] [%8s] [%-8s] [%.2s] [%c] [%3c] 100%%", "abc", "abc", "abc", "abc", 'x', 'y');
  EXPECT_EQ(formatted("%s", static_cast<const char*>(nullptr)), "(null)");
}

std::size_t name_one(std::uint64_t address, std::span<char> out) {
  if (address != 0x1000) return 0;
  copy_string(out, "here+0x0/0x10");
  return 13;
}

// Pointers print as the kernel prints them; %p and %pK are the same on every machine.
TEST(Format, Pointers) {
  void* some = reinterpret_cast<void*>(0xffff'8000'0000'1234);
  EXPECT_EQ(formatted("%px", some), "ffff800000001234");
  EXPECT_EQ(formatted("%p %pK %p", some, some, nullptr),
            "(____ptrval____) (____ptrval____) (null)");
  EXPECT_EQ(formatted("%pS", reinterpret_cast<void*>(0x1000)), "0x1000");
  set_symbol_namer(name_one);
  EXPECT_EQ(formatted("%pS|%ps.", reinterpret_cast<void*>(0x1000), reinterpret_cast<void*>(0x2000)),
            "here+0x0/0x10|0x2000.");
  set_symbol_namer(nullptr);
  EXPECT_EQ(formatted("%pe", reinterpret_cast<void*>(-12L)), "-ENOMEM");
  const std::uint64_t pa = 0x4020'0000;
  EXPECT_EQ(formatted("%pa", &pa), "0x0000000040200000");
}

// An unknown conversion is printed as it stands and consumes nothing after it.
TEST(Format, UnknownConversionsAreShown) {
  EXPECT_EQ(formatted("%y %", 1), "%y %");
}

// Output that does not fit is cut and terminated, and the answer is the full length.
TEST(Format, TruncationReportsTheFullLength) {
  std::array<char, 4> small{};
  const auto format = [&](const char* text, ...) {
    va_list arguments;
    va_start(arguments, text);
    const std::size_t size = format_text(small, text, arguments);
    va_end(arguments);
    return size;
  };
  EXPECT_EQ(format("%s", "abcdef"), 6U);
  EXPECT_STREQ(small.data(), "abc");
}

}  // namespace
