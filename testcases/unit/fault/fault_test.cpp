// SPDX-License-Identifier: GPL-2.0-only
#include "fault/fault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace pkvmemu::fault {
namespace {

using testing::HasSubstr;

const std::vector<Site>& sites() {
  static const std::vector<Site> some = {
      {.name = "host.kmalloc",
       .meaning = "",
       .el = 1,
       .answer = pkvm::fault::Answer::nothing,
       .usual = 1},
      {.name = "hyp.donate", .meaning = "", .el = 2, .usual = -1},
      {.name = "hyp.donate_list", .meaning = "", .el = 2, .usual = -1}};
  return some;
}

// Unless told otherwise a fault is the first occurrence, once, with the site's own answer.
TEST(ParseFault, ANameAloneIsTheFirstTimeOnce) {
  const auto fault = parse_fault("hyp.donate", sites());
  ASSERT_TRUE(fault) << fault.error().message;
  EXPECT_EQ(fault->site, "hyp.donate");
  EXPECT_EQ(fault->nth, 1U);
  EXPECT_EQ(fault->times, 1U);
  EXPECT_EQ(fault->answer, -1);
}

// Each part is taken, in any order; errors go by name and by number of either sign.
TEST(ParseFault, EachPartIsTaken) {
  const auto fault = parse_fault("hyp.donate:return=ENOMEM:nth=3:times=all", sites());
  ASSERT_TRUE(fault) << fault.error().message;
  EXPECT_EQ(fault->nth, 3U);
  EXPECT_EQ(fault->times, every_time);
  EXPECT_EQ(fault->answer, -12);
  EXPECT_EQ(parse_fault("hyp.donate:return=-22", sites())->answer, -22);
  EXPECT_EQ(parse_fault("hyp.donate:return=22", sites())->answer, -22);
}

// What is not understood is refused with what was expected.
TEST(ParseFault, WhatIsNotUnderstoodIsRefused) {
  struct Case {
    const char* text;
    const char* says;
  };
  constexpr std::array cases = {
      Case{"", "no fault site ''"},
      Case{"hyp.donat", "there are hyp.donate, hyp.donate_list"},
      Case{"nosuch", "`pkvm-emu sites`"},
      Case{"hyp.donate:", "expected nth=N"},
      Case{"hyp.donate:nth", "expected nth=N"},
      Case{"hyp.donate:nth=0", "1 or more"},
      Case{"hyp.donate:nth=-1", "1 or more"},
      Case{"hyp.donate:nth=1x", "1 or more"},
      Case{"hyp.donate:nth=99999999999999999999999", "1 or more"},
      Case{"hyp.donate:times=0", "or 'all'"},
      Case{"hyp.donate:return=0", "an error number"},
      Case{"hyp.donate:return=-5000", "an error number"},
      Case{"hyp.donate:return=-9223372036854775808", "an error number"},
      Case{"hyp.donate:return=EWHAT", "an error number"},
      Case{"host.kmalloc:return=ENOMEM", "answers with nothing"},
  };
  for (const Case& one : cases) {
    const auto fault = parse_fault(one.text, sites());
    ASSERT_FALSE(fault) << one.text;
    EXPECT_THAT(fault.error().message, HasSubstr(one.says)) << one.text;
  }
}

// A fault hits `times` occurrences from the nth on, and no other; all of them when it is for ever.
TEST(Fault, HitsFromTheNthOn) {
  const Fault twice{.site = "x", .nth = 3, .times = 2};
  const Fault forever{.site = "x", .nth = 3, .times = every_time};
  for (std::uint64_t count = 1; count <= 6; ++count) {
    EXPECT_EQ(twice.hits(count), count == 3 || count == 4) << count;
    EXPECT_EQ(forever.hits(count), count >= 3) << count;
  }
}

}  // namespace
}  // namespace pkvmemu::fault
