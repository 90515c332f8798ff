// SPDX-License-Identifier: GPL-2.0-only
#include "rc.h"

#include <gmock/gmock.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace pkvmemu::tool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Numbers are decimal, hexadecimal or negative, and exactly 64 bits wide.
TEST(RcNumber, GoodForms) {
  EXPECT_EQ(parse_number("0"), 0u);
  EXPECT_EQ(parse_number("17"), 17u);
  EXPECT_EQ(parse_number("0x11"), 0x11u);
  EXPECT_EQ(parse_number("0XfF"), 0xFFu);
  EXPECT_EQ(parse_number("-1"), ~std::uint64_t{0});
  EXPECT_EQ(parse_number("0xffffffffffffffff"), ~std::uint64_t{0});
  EXPECT_EQ(parse_number("-0x8000000000000000"), std::uint64_t{1} << 63);
}

// Everything else is refused, not guessed at.
TEST(RcNumber, BadForms) {
  for (const std::string_view text :
       {"", "-", "0x", "x", "1x", " 1", "1 ", "+1", "--1", "0x1g", "18446744073709551616",
        "0x10000000000000000", "-0x8000000000000001"})
    EXPECT_EQ(parse_number(text), std::nullopt) << "'" << text << "'";
}

// A call names a handler, with or without its module, or a number from 128 up.
TEST(RcCall, GoodTargets) {
  const auto call = parse_call("hello/hello_hvc:0x11,34,-1");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->verb, RcVerb::call);
  EXPECT_EQ(call->target, "hello/hello_hvc");
  EXPECT_THAT(call->args, ElementsAre(0x11, 34, ~std::uint64_t{0}));

  EXPECT_EQ(parse_call("hello_hvc")->target, "hello_hvc");
  EXPECT_THAT(parse_call("hello_hvc")->args, IsEmpty());
  EXPECT_EQ(parse_call("128")->target, "128");
  EXPECT_EQ(parse_call("0x80:1")->target, "128");
  EXPECT_EQ(parse_call("5000:1,2,3,4,5,6,7")->args.size(), 7u);
}

// An SMC carries up to x17.
TEST(RcSmc, HasSeventeenArguments) {
  EXPECT_EQ(parse_smc("0xc2000001:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17")->args.size(), 17U);
  const auto more = parse_smc("0xc2000001:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18");
  ASSERT_FALSE(more);
  EXPECT_THAT(more.error().message, HasSubstr("at most 17 (x1 to x17)"));
}

// The error names the argument that is wrong and says what was expected.
TEST(RcCall, BadOnesAreExplained) {
  constexpr auto rows = std::to_array<std::pair<std::string_view, std::string_view>>({
      {"", "expected [MODULE/]SYMBOL or a number"},
      {"a/b/c", "expected [MODULE/]SYMBOL or a number"},
      {"/f", "expected [MODULE/]SYMBOL or a number"},
      {"f g", "expected [MODULE/]SYMBOL or a number"},
      {"-1", "expected [MODULE/]SYMBOL or a number"},
      {"12", "expected 128 to 65535"},
      {"65536", "expected 128 to 65535"},
      {"128abc", "no id of a dynamic call"},
      {"f:", "argument 1 is ''"},
      {"f:1,zwei", "argument 2 is 'zwei'"},
      {"f:1,", "argument 2 is ''"},
      {"f:1,2,3,4,5,6,7,8", "8 arguments, expected at most 7"},
  });
  for (const auto& [text, expected] : rows) {
    const auto call = parse_call(text);
    ASSERT_FALSE(call) << text;
    EXPECT_THAT(call.error().message, HasSubstr(std::string(expected))) << text;
  }
}

// A function of PSCI goes by its name; a number is --smc's.
TEST(RcPsci, NamesAndArguments) {
  const auto suspend = parse_psci("suspend:0x10000");
  ASSERT_TRUE(suspend);
  EXPECT_EQ(suspend->verb, RcVerb::psci);
  EXPECT_EQ(to_text(*suspend), "psci suspend:0x10000\n");
  EXPECT_EQ(to_text(*parse_psci("version")), "psci version\n");
  EXPECT_THAT(parse_psci("0x84000000").error().message, HasSubstr("no function of PSCI"));
  EXPECT_THAT(parse_psci("suspend:x").error().message, HasSubstr("argument 1"));
}

// A raw HVC takes any x0, and shows it in hexadecimal from then on.
TEST(RcHvc, AnyX0) {
  EXPECT_EQ(parse_hvc("0xc600000f:1")->target, "0xc600000f");
  EXPECT_EQ(parse_hvc("2147483648")->target, "0x80000000");
  EXPECT_THAT(parse_hvc("hello").error().message, HasSubstr("no value for x0"));
  EXPECT_FALSE(parse_hvc(""));
  EXPECT_EQ(parse_smc("0xC2000001:1")->verb, RcVerb::smc);
  EXPECT_THAT(parse_smc("psci").error().message, HasSubstr("no value for x0"));
}

// A file has one wish a line; comments, blank lines and a missing last newline are fine.
TEST(RcFile, IsReadLineByLine) {
  const auto lines = parse_rc(
      "# wishes\n"
      "\n"
      "early call hello/f:0x1   # before\n"
      "\tcall repeat=1000 f\r\n"
      "hvc 0xc600000f:1,2\n"
      "smc 0xc2000001\n"
      "late other a=1  b=2 # parameters\r",
      "rc");
  ASSERT_TRUE(lines) << lines.error().message;
  ASSERT_EQ(lines->size(), 5u);
  EXPECT_EQ((*lines)[0].phase, RcPhase::early);
  EXPECT_EQ((*lines)[0].args, (std::vector<std::uint64_t>{1}));
  EXPECT_EQ((*lines)[1].repeat, 1000u);
  EXPECT_EQ((*lines)[2].verb, RcVerb::hvc);
  EXPECT_EQ((*lines)[3].verb, RcVerb::smc);
  EXPECT_EQ((*lines)[4].verb, RcVerb::late);
  EXPECT_EQ((*lines)[4].target, "other");
  EXPECT_EQ((*lines)[4].parameters, "a=1  b=2");
}

// Guests are named, or get the default program; what is read is written the same.
TEST(RcFile, Guests) {
  const auto lines = parse_rc("pvm\nvm share\n", "rc");
  ASSERT_TRUE(lines) << lines.error().message;
  ASSERT_EQ(lines->size(), 2u);
  EXPECT_EQ((*lines)[0].verb, RcVerb::pvm);
  EXPECT_EQ(to_text(*lines), "pvm hello\nvm share\n");
}

// Errors carry the file and the line.
TEST(RcFile, ErrorsNameTheLine) {
  constexpr auto rows = std::to_array<std::pair<std::string_view, std::string_view>>({
      {"call f\nfrobnicate\n", "rc:2: unknown word 'frobnicate'"},
      {"early\n", "rc:1: unknown word ''"},
      {"call\n", "rc:1: "},
      {"call repeat=0 f\n", "repeat=N with N at least 1"},
      {"call f g\n", "'g' is one word too many"},
      {"late a/b\n", "'a/b' is no module name"},
      {"touch q:1\n", "'q:1', expected r:ADDR, w:ADDR=VALUE or x:ADDR"},
      {"touch r:1=2\n", "'r:1=2', expected"},
      {"touch w:1\n", "'w:1', expected"},
      {"touch r:0x1000000000000\n", "is no physical address"},
      {"touch w:1=y\n", "'y' is no value to write"},
      {"await all\n", "'all' is one word too many"},
      {"el2only m run f\n", "'run', expected init, hvc or set"},
      {"el2only m\n", "'', expected init, hvc or set"},
      {"el2only m init f=1\n", "expected a symbol alone"},
      {"el2only m set x\n", "'' is no value"},
      {"el2only m set x=hex:0\n", "two digits each"},
      {"el2only m hvc 1f\n", "'1f' is no symbol"},
      {"el2only m hvc f g\n", "'g' is one word too many"},
  });
  for (const auto& [text, expected] : rows) {
    const auto lines = parse_rc(text, "rc");
    ASSERT_FALSE(lines) << text;
    EXPECT_THAT(lines.error().message, HasSubstr(std::string(expected))) << text;
  }
}

// Values are written as the kernel reads them: numbers in hexadecimal, bytes as they are.
TEST(RcFile, ValuesAreNormalised) {
  const auto lines = parse_rc("el2only m set x=-1\nel2only m set y=hex:0aFF\n", "rc");
  ASSERT_TRUE(lines) << lines.error().message;
  EXPECT_EQ(to_text(*lines), "el2only m set x=0xffffffffffffffff\nel2only m set y=hex:0aFF\n");
}

// A touch says what, where, and for a write which value.
TEST(RcFile, TouchesAreNormalised) {
  const auto lines = parse_rc("touch r:4096\nearly touch w:0x10=-1\ntouch x:0x7\n", "rc");
  ASSERT_TRUE(lines) << lines.error().message;
  ASSERT_EQ(lines->size(), 3U);
  EXPECT_EQ((*lines)[0].target, "r:0x1000");
  EXPECT_EQ((*lines)[1].target, "w:0x10=0xffffffffffffffff");
  EXPECT_EQ((*lines)[1].phase, RcPhase::early);
  EXPECT_EQ((*lines)[2].target, "x:0x7");
}

// What is written is read back the same.
TEST(RcFile, TextRoundTrips) {
  const std::vector<RcLine> lines = {
      {.verb = RcVerb::call, .phase = RcPhase::early, .repeat = 3, .target = "m/f", .args = {1, 2}},
      {.verb = RcVerb::hvc, .target = "0x80000000", .args = {~std::uint64_t{0}}},
      {.verb = RcVerb::smc, .target = "0xc2000001", .args = {7}},
      {.verb = RcVerb::late, .target = "other", .args = {}, .parameters = "a=1 b=2"},
      {.verb = RcVerb::call, .target = "200", .args = {}},
      {.verb = RcVerb::touch, .phase = RcPhase::early, .target = "w:0x1000=0x2", .args = {}},
      {.verb = RcVerb::el2only, .target = "m", .args = {}, .parameters = "hvc f=g"},
      {.verb = RcVerb::await, .phase = RcPhase::early, .target = "", .args = {}},
  };
  EXPECT_EQ(to_text(lines),
            "early call repeat=3 m/f:0x1,0x2\n"
            "hvc 0x80000000:0xffffffffffffffff\n"
            "smc 0xc2000001:0x7\n"
            "late other a=1 b=2\n"
            "call 200\n"
            "early touch w:0x1000=0x2\n"
            "el2only m hvc f=g\n"
            "early await\n");
  const auto read = parse_rc(to_text(lines), "rc");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, lines);
}

}  // namespace
}  // namespace pkvmemu::tool
