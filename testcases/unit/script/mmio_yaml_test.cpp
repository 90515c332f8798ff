// SPDX-License-Identifier: GPL-2.0-only
// A device's file: what it may say, and what it is told where it says something else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "script/world.h"

namespace pkvmemu::script {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Result<device::RegionScript> parse(std::string_view text) {
  const Region region{.base = Pa{0x1000'0000}, .size = 0x1000, .what = "dir/uart.yaml"};
  return parse_device(region, "uart.yaml", text);
}

// All that a register may say is taken; registers stand in the order of their offsets.
TEST(ParseDevice, ARegisterIsTaken) {
  const auto device = parse(R"(name: thing
log: true
rest: ram
registers:
  - {name: B, offset: 0x10, width: 64, reset: 0x1122334455667788}
  - name: A
    offset: 8
    reset: 0x90
    reads: [1, {value: 0x20, times: 3}]
    then: repeat
    writable: 0xff
    clears: 0xf
    sets: [{register: B, value: written}, {register: A, restart: true, when: 0x1}]
    log: true
)");
  ASSERT_TRUE(device) << device.error().message;
  EXPECT_EQ(device->name, "thing");
  EXPECT_TRUE(device->logged);
  EXPECT_EQ(device->rest, device::Rest::ram);
  ASSERT_EQ(device->registers.size(), 2U);
  const device::RegisterScript& a = device->registers[0];
  EXPECT_EQ(a.name, "A");
  EXPECT_EQ(a.reset, 0x90U);
  ASSERT_EQ(a.reads.size(), 2U);
  EXPECT_EQ(a.reads[1].value, 0x20U);
  EXPECT_EQ(a.reads[1].times, 3U);
  EXPECT_EQ(a.then, device::AfterLast::repeat);
  EXPECT_EQ(a.writable, 0xffU);
  EXPECT_EQ(a.clears, 0xfU);
  EXPECT_TRUE(a.logged);
  ASSERT_EQ(a.effects.size(), 2U);
  EXPECT_EQ(a.effects[0].target, 1U);
  EXPECT_TRUE(a.effects[0].stores);
  EXPECT_FALSE(a.effects[0].value.has_value());
  EXPECT_TRUE(a.effects[1].restarts);
  EXPECT_EQ(a.effects[1].when, 1U);
  EXPECT_EQ(device->registers[1].size, 8U);
}

// 'until' is a value for so many reads, and then what the register holds.
TEST(ParseDevice, UntilIsAShortForm) {
  const auto device = parse("registers: [{offset: 0, reset: 1, until: {reads: 3, value: 0}}]");
  ASSERT_TRUE(device) << device.error().message;
  const device::RegisterScript& reg = device->registers.at(0);
  ASSERT_EQ(reg.reads.size(), 1U);
  EXPECT_EQ(reg.reads[0].times, 3U);
  EXPECT_EQ(reg.then, device::AfterLast::stored);
}

struct Wrong {
  std::string_view text;
  std::string_view place;
  std::string_view words;
};

// A mistake is told with its line and column, and with what was expected.
TEST(ParseDevice, MistakesHaveAPlace) {
  constexpr auto cases = std::to_array<Wrong>({
      {"registers: [{offset: 0, widht: 32}]", "uart.yaml:1:25: ", "unknown key 'widht'"},
      {"registers: [{name: A}]", "uart.yaml:1:13: ", "needs an 'offset'"},
      {"registers: [{offset: 0, width: 12}]", "uart.yaml:1:32: ", "8, 16, 32 or 64"},
      {"registers: [{offset: 0xffd}]", "uart.yaml:1:13: ", "the region has 0x1000 bytes"},
      {"registers: [{offset: 0xffffffffffffffff}]", "uart.yaml:1:13: ", "the region has"},
      {"registers: [{offset: 0}, {offset: 2}]", "uart.yaml:1:26: ", "overlap"},
      {"registers: [{offset: 0, width: 8, reset: 0x100}]", "uart.yaml:1:42: ", "from 0 to 255"},
      {"registers: [{name: A, offset: 0}, {name: A, offset: 4}]",
       "uart.yaml:1:35: ", "two registers are called A"},
      {"registers: [{offset: 0, then: last}]", "uart.yaml:1:31: ", "there are none"},
      {"registers: [{offset: 0, reads: []}]", "uart.yaml:1:32: ", "list of values"},
      {"registers: [{offset: 0, reads: [{value: 1, times: 0}]}]", "uart.yaml:1:51: ", "from 1"},
      {"registers: [{offset: 0, access: read-only, writable: 1}]",
       "uart.yaml:1:54: ", "means nothing"},
      {"registers: [{offset: 0, access: write-only, reads: [1]}]",
       "uart.yaml:1:52: ", "reads as 0"},
      {"registers: [{offset: 0, access: none}]",
       "uart.yaml:1:33: ", "read-write, read-only, write-only"},
      {"registers: [{offset: 0, sets: {register: B, value: 1}}]",
       "uart.yaml:1:31: ", "'B' is no register's name"},
      {"registers: [{name: A, offset: 0, sets: {register: A}}]",
       "uart.yaml:1:40: ", "expected a 'value'"},
      {"rest: ones", "uart.yaml:1:7: ", "zero, ram"},
      {"[]", "uart.yaml:1:1: ", "expected a map"},
      {"registers: [", "uart.yaml:", ""},
  });
  for (const Wrong& one : cases) {
    const auto device = parse(one.text);
    ASSERT_FALSE(device) << one.text;
    EXPECT_THAT(device.error().message, StartsWith(std::string(one.place))) << one.text;
    EXPECT_THAT(device.error().message, HasSubstr(std::string(one.words))) << one.text;
  }
  EXPECT_FALSE(parse(""));
}

// --mmio's own form: address, size, and what is there.
TEST(ParseRegion, HasThreeParts) {
  const auto region = parse_region("0x10000000:0x2000=a=b.yaml");
  ASSERT_TRUE(region) << region.error().message;
  EXPECT_EQ(region->base.value, 0x1000'0000U);
  EXPECT_EQ(region->size, 0x2000U);
  EXPECT_EQ(region->what, "a=b.yaml");
  EXPECT_TRUE(is_file(*region));
  EXPECT_FALSE(is_file({.base = Pa{0}, .what = "ram"}));
  for (const char* text : {"", "ram", "0x1000=ram", "0x1000:=ram", "0x1000:0x1000",
                           "0x1000:0x1000=", ":0x1000=ram", "x:0x1000=ram", "0x1000=ram:4"})
    EXPECT_FALSE(parse_region(text)) << text;
}

}  // namespace
}  // namespace pkvmemu::script
