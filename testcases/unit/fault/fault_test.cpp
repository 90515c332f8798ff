// SPDX-License-Identifier: GPL-2.0-only
#include "fault/fault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace pkvmemu::fault {
namespace {

using testing::HasSubstr;

/// A module's two halves and a piece of firmware, as far as names go.
const symbols::SymbolTable& table() {
  static const symbols::SymbolTable some = [] {
    symbols::SymbolTable made;
    EXPECT_TRUE(
        made.add_firmware("hyp", 2,
                          "0000000000001000 0000000000000040 T _ZN7pkvmemu3hyp4Pool4takeEm\n"
                          "0000000000001040 0000000000000010 T both\n"));
    EXPECT_TRUE(made.add_firmware("host", 1, "0000000000002000 0000000000000010 T both\n"));
    return made;
  }();
  return some;
}

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

Names names() {
  return {.sites = sites(), .symbols = table()};
}
std::int64_t answer_of(const Fault& fault) {
  return std::get<Answer>(fault.action).values.at(0);
}

// Unless told otherwise a fault is the first occurrence, once, with the site's own answer.
TEST(ParseFault, ANameAloneIsTheFirstTimeOnce) {
  const auto fault = parse_fault("hyp.donate", names());
  ASSERT_TRUE(fault) << fault.error().message;
  EXPECT_EQ(fault->name, "hyp.donate");
  EXPECT_EQ(fault->place, Place{SitePlace{"hyp.donate"}});
  EXPECT_EQ(fault->turn.nth, 1U);
  EXPECT_EQ(fault->turn.times, 1U);
  EXPECT_EQ(answer_of(*fault), -1);
}

// Each part is taken, in any order; errors go by name and by number of either sign.
TEST(ParseFault, EachPartIsTaken) {
  const auto fault = parse_fault("hyp.donate:return=ENOMEM:nth=3:times=all", names());
  ASSERT_TRUE(fault) << fault.error().message;
  EXPECT_EQ(fault->turn.nth, 3U);
  EXPECT_EQ(fault->turn.times, every_time);
  EXPECT_EQ(answer_of(*fault), -12);
  EXPECT_EQ(answer_of(*parse_fault("hyp.donate:return=-22", names())), -22);
  EXPECT_EQ(answer_of(*parse_fault("hyp.donate:return=22", names())), -22);
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
    const auto fault = parse_fault(one.text, names());
    ASSERT_FALSE(fault) << one.text;
    EXPECT_THAT(fault.error().message, HasSubstr(one.says)) << one.text;
  }
}

// Code is a place too: by name, with its scopes or without them, by its address at a level.
TEST(ParseFault, CodeIsAPlaceByNameAndByAddress) {
  const Place take = SymbolPlace{{.part = {.image = "hyp", .el = 2}, .offset = 0x1000}};
  EXPECT_EQ(parse_fault("Pool::take:skip", names())->place, take);
  EXPECT_EQ(parse_fault("hyp::Pool::take:skip", names())->place, take);
  EXPECT_EQ(parse_fault("hyp/take:nth=2:skip", names())->place, take);
  const Place behind = SymbolPlace{{.part = {.image = "hyp", .el = 2}, .offset = 0x1008}};
  EXPECT_EQ(parse_fault("take+8:skip", names())->place, behind);
  const Place address = AddressPlace{.el = 1, .address = Va{0x1234}};
  EXPECT_EQ(parse_fault("el1:0x1234:nth=3:power-cut", names())->place, address);
  const Place host = SymbolPlace{{.part = {.image = "host", .el = 1}, .offset = 0x2000}};
  EXPECT_EQ(parse_fault("el1:both:skip", names())->place, host);
  EXPECT_EQ(parse_fault("host/both:skip", names())->place, host);
}

// Each thing that may happen is taken, and what follows it as well.
TEST(ParseFault, EachActionIsTaken) {
  EXPECT_EQ(parse_fault("take:return=0x11", names())->action, Action{Answer{{0x11}}});
  EXPECT_EQ(parse_fault("take:return=ENOMEM", names())->action, Action{Answer{{-12}}});
  EXPECT_EQ(parse_fault("take:repeat", names())->action, Action{Deed::repeat});
  EXPECT_EQ(parse_fault("hyp.donate:time-out", names())->action, Action{Deed::time_out});
  const auto flip = parse_fault("take:flip=x3:17:nth=4", names());
  ASSERT_TRUE(flip) << flip.error().message;
  EXPECT_EQ(flip->action, (Action{FlipRegister{.reg = 3, .bit = 17}}));
  EXPECT_EQ(flip->turn.nth, 4U);
  const FlipMemory at_register{
      .base = FlipMemory::Register{.reg = 1, .offset = 8}, .name = "x1+8", .bit = 3};
  EXPECT_EQ(parse_fault("take:flip=[x1+8]:3", names())->action, Action{at_register});
  const FlipMemory at_address{.base = Va{0x1000}, .name = "0x1000", .bit = 70};
  EXPECT_EQ(parse_fault("take:flip=[0x1000]:70", names())->action, Action{at_address});
}

// What cannot be meant is refused with what was expected.
TEST(ParseFault, WhatCannotBeMeantIsRefused) {
  struct Case {
    const char* text;
    const char* says;
  };
  constexpr std::array cases = {
      Case{"take", "expected what happens there"},
      Case{"both:skip", "name of 2 symbols: el1:host/both, el2:hyp/both"},
      Case{"nosuch:skip", "no symbol 'nosuch'"},
      Case{"hello/take:skip", "no symbol 'hello/take'"},
      Case{"take+x:skip", "behind the '+'"},
      Case{"el1:0x1235:skip", "multiple of 4"},
      Case{"take:skip:repeat", "one thing"},
      Case{"take:return=1:flip=x1:1", "one thing"},
      Case{"take:return=what", "expected a number"},
      Case{"take:flip=x31:1", "x0 to x30"},
      Case{"take:flip=x1:64", "0 to 63"},
      Case{"take:flip=x1", "a colon, and a bit"},
      Case{"take:flip=[nosuch]:1", "no symbol 'nosuch'"},
      Case{"take:jump", "expected nth=N"},
  };
  for (const Case& one : cases) {
    const auto fault = parse_fault(one.text, names());
    ASSERT_FALSE(fault) << one.text;
    EXPECT_THAT(fault.error().message, HasSubstr(one.says)) << one.text;
  }
}

}  // namespace
}  // namespace pkvmemu::fault
