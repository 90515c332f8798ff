// SPDX-License-Identifier: GPL-2.0-only
// Plans: what a YAML file may say, and what it is told where it says something else.
#include "fault/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace pkvmemu::fault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::array<std::string_view, 2> subjects = {"loads", "console"};

Result<Plan> parse(std::string_view text) {
  return parse_plan("plan.yaml", text, subjects);
}

// All that a fault may say of its time is taken; numbers may be hexadecimal.
TEST(ParsePlan, WhenAFaultHappensIsTaken) {
  const auto plan = parse(R"(seed: 0x10
faults:
  - site: hyp.donate
    nth: 0x3
    times: all
    interval: 2
    probability: 50
    space: 7
    return: EPERM
    require: a
    reject: [b, c]
)");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->seed, 16U);
  EXPECT_TRUE(plan->is_random());
  ASSERT_EQ(plan->faults.size(), 1U);
  const PlannedFault& fault = plan->faults[0];
  EXPECT_EQ(fault.place, "hyp.donate");
  EXPECT_EQ(fault.turn,
            (Turn{.nth = 3, .space = 7, .interval = 2, .probability = 50, .times = every_time}));
  EXPECT_THAT(fault.answer, ElementsAre("EPERM"));
  EXPECT_THAT(fault.require, ElementsAre("a"));
  EXPECT_THAT(fault.reject, ElementsAre("b", "c"));
  EXPECT_EQ(fault.where, "plan.yaml:3:5");
}

// Each kind of place, of thing that happens, and of expectation has its key.
TEST(ParsePlan, EachKindIsTaken) {
  const auto plan = parse(R"(
faults:
  - {at: hello/hello_hvc+8, flip: "x3:17"}
  - {at: "el2:0x1000", do: power-cut}
  - {smc: 0x84000000, answer: [0x10000, 0]}
  - {mmio: 0x09000018, answer: 0x20}
  - corrupt: {module: hello.ko, section: .hyp.text, offset: 0x10, xor: 1}
  - corrupt: {module: hello, offset: 4, write: [0xff, 2]}
expect:
  loads: failed
  console: [one, two]
)");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_FALSE(plan->is_random());
  ASSERT_EQ(plan->faults.size(), 4U);
  EXPECT_EQ(plan->faults[0].flip, "x3:17");
  EXPECT_EQ(plan->faults[1].deed, Deed::power_cut);
  EXPECT_EQ(plan->faults[2].number, 0x8400'0000U);
  EXPECT_THAT(plan->faults[2].answer, ElementsAre("0x10000", "0"));
  EXPECT_EQ(plan->faults[3].at, PlannedFault::At::mmio);
  ASSERT_EQ(plan->corruptions.size(), 2U);
  EXPECT_EQ(plan->corruptions[0].section, ".hyp.text");
  EXPECT_EQ(plan->corruptions[1].kind, Corruption::Kind::overwrite);
  EXPECT_THAT(plan->corruptions[1].bytes, ElementsAre(std::byte{0xff}, std::byte{2}));
  ASSERT_EQ(plan->expected.size(), 3U);
  EXPECT_EQ(plan->expected[2].wanted, "two");
}

// What is not understood is refused with file, line and column, and with what there is.
TEST(ParsePlan, WhatIsNotUnderstoodIsRefused) {
  struct Case {
    const char* text;
    const char* where;
    const char* says;
  };
  constexpr std::array cases = {
      Case{"", "plan.yaml: ", "empty"},
      Case{"fault: []", "plan.yaml:1:1:", "unknown key 'fault'; there are faults, expect, seed"},
      Case{"faults: 3", "plan.yaml:1:9:", "expected a list"},
      Case{"faults:\n  - nth: 1", "plan.yaml:2:5:", "one of site, at, smc"},
      Case{"faults:\n  - {site: a, at: b}", "plan.yaml:2:5:", "one of site, at, smc"},
      Case{"faults:\n  - site: a\n    nht: 1",
           "plan.yaml:3:5:", "unknown key 'nht'; there are site"},
      Case{"faults:\n  - site: a\n    nth: 1\n    nth: 2", "plan.yaml:4:5:", "given twice"},
      Case{"faults:\n  - {site: a, nth: 0}", "plan.yaml:2:20:", "number from 1, not '0'"},
      Case{"faults:\n  - {site: a, nth: x}", "plan.yaml:2:20:", "not 'x'"},
      Case{"faults:\n  - {site: a, nth: [1]}", "plan.yaml:2:20:", "expected a number"},
      Case{"faults:\n  - {site: a, probability: 101}", "plan.yaml:2:28:", "from 0 to 100"},
      Case{"faults:\n  - {site: a, times: never}", "plan.yaml:2:22:", "or 'all'"},
      Case{"faults:\n  - {site: a, do: jump}", "plan.yaml:2:19:", "skip, repeat, power-cut"},
      Case{"faults:\n  - {site: a, do: skip, flip: x}", "plan.yaml:2:5:", "does one thing"},
      Case{"faults:\n  - corrupt: {module: a}", "plan.yaml:2:14:", "either 'xor' or 'write'"},
      Case{"faults:\n  - corrupt: {xor: 1}", "plan.yaml:2:14:", "name of a 'module'"},
      Case{"faults:\n  - corrupt: {module: a, xor: 256}", "plan.yaml:2:31:", "0 to 255"},
      Case{"faults:\n  - {corrupt: {module: a, xor: 1}, nth: 2}", "plan.yaml:2:5:", "'nth' means"},
      Case{"expect: {load: failed}", "plan.yaml:1:10:", "there are loads, console"},
      Case{"seed: -1", "plan.yaml:1:7:", "expected a number"},
      Case{"a: [1", "plan.yaml:1:", "end of sequence"},
      Case{"seed: 1\n---\nseed: 2", "plan.yaml:3:", "one document"},
  };
  for (const Case& one : cases) {
    const auto plan = parse(one.text);
    ASSERT_FALSE(plan) << one.text;
    EXPECT_THAT(plan.error().message, StartsWith(one.where)) << one.text;
    EXPECT_THAT(plan.error().message, HasSubstr(one.says)) << one.text;
  }
}

// A place that the guest does not have, and an action that the place cannot take, are told with
// where the plan says so.
TEST(ResolvePlan, WhatTheGuestDoesNotHaveIsRefused) {
  const std::vector<Site> sites = {{.name = "hyp.donate", .meaning = "", .el = 2, .usual = -1}};
  symbols::SymbolTable table;
  ASSERT_TRUE(table.add_firmware("hyp", 2, "1000 40 T known\n2000 T unsized\n"));
  const Names names{.sites = sites, .symbols = table};
  struct Case {
    const char* fault;
    const char* says;
  };
  constexpr std::array cases = {
      Case{"{site: known, do: skip}", "no fault site 'known'"},
      Case{"{at: nosuch, do: skip}", "no symbol 'nosuch'"},
      Case{"{at: known}", "expected what happens there"},
      Case{"{smc: 1, do: skip}", "no instruction can be changed"},
      Case{"{mmio: 0x1000, answer: 1}", "no device answers at 0x1000; there is a PL011 at"},
      Case{"{mmio: 0x09000000, do: power-cut}", "nothing but the answer"},
      Case{"{at: known, answer: [1, 2]}", "expected one value"},
      Case{"{smc: 1, answer: [1, 2, 3, 4, 5]}", "at most 4"},
      Case{"{at: known, do: skip, require: nosuch}", "no symbol 'nosuch'"},
      Case{"{at: known, do: skip, reject: unsized}", "give a range"},
      Case{"{at: known, do: skip, reject: 'el2:0x20-0x10'}", "a range like"},
  };
  for (const Case& one : cases) {
    const auto plan = parse(std::string("faults:\n  - ") + one.fault);
    ASSERT_TRUE(plan) << plan.error().message;
    const auto fault = resolve(plan->faults[0], names);
    ASSERT_FALSE(fault) << one.fault;
    EXPECT_THAT(fault.error().message, StartsWith("plan.yaml:2:5: ")) << one.fault;
    EXPECT_THAT(fault.error().message, HasSubstr(one.says)) << one.fault;
  }
  const auto good =
      parse("faults:\n  - {at: known+4, do: skip, require: [known, 'el1:0x10-0x20']}");
  ASSERT_TRUE(good);
  const auto fault = resolve(good->faults[0], names);
  ASSERT_TRUE(fault) << fault.error().message;
  EXPECT_EQ(fault->require.size(), 2U);
}

// A place in the file is changed as it is said, one outside of the file is refused.
TEST(Corrupt, ChangesTheBytesThatItNames) {
  std::vector<std::byte> file = {std::byte{1}, std::byte{2}, std::byte{3}};
  Corruption change;
  change.offset = 1;
  change.bytes = {std::byte{0xf0}, std::byte{1}};
  const auto told = corrupt(file, change);
  ASSERT_TRUE(told) << told.error().message;
  EXPECT_EQ(*told, "the file at 0x1: 02 03 became f2 02");
  EXPECT_THAT(file, ElementsAre(std::byte{1}, std::byte{0xf2}, std::byte{2}));
  change.kind = Corruption::Kind::overwrite;
  EXPECT_EQ(*corrupt(file, change), "the file at 0x1: f2 02 became f0 01");
  change.offset = 2;
  EXPECT_FALSE(corrupt(file, change));
  change.offset = ~std::uint64_t{0};
  EXPECT_FALSE(corrupt(file, change));
  change.offset = 0;
  change.section = ".text";
  EXPECT_FALSE(corrupt(file, change)) << "it is no module";
}

}  // namespace
}  // namespace pkvmemu::fault
