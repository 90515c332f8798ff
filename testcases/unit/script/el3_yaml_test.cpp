// SPDX-License-Identifier: GPL-2.0-only
// The file of EL3's answers: what it may say, and what it is told where it says something else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "script/world.h"

namespace pkvmemu::script {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// Numbers, ranges and masks of functions, arguments, and answers in each of their forms are taken.
TEST(ParseEl3, CallsAreTaken) {
  const auto script = parse_el3("el3.yaml", R"(log: true
calls:
  - name: get
    id: 0xc2000001
    args: {x1: 0x10, x2: any}
    answer: [0, 0x1234]
  - ids: 0x82000000-0x8200ffff
    answers: [-1, [0, 5], {x0: EINVAL, x17: 3}]
    then: repeat
    log: true
  - {id: 0xc3000000, mask: 0xffff0000, answer: 7}
)");
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_TRUE(script->logs);
  ASSERT_EQ(script->calls.size(), 3U);
  const device::SecureCallScript& get = script->calls[0];
  EXPECT_EQ(get.name, "get");
  EXPECT_EQ(get.first, 0xc200'0001U);
  EXPECT_TRUE(get.names_one());
  EXPECT_EQ(get.arguments[0], 0x10U);
  EXPECT_EQ(get.arguments[1], std::nullopt);
  EXPECT_THAT(get.answers, ElementsAre(ElementsAre(0U, 0x1234U)));
  const device::SecureCallScript& range = script->calls[1];
  EXPECT_EQ(range.last, 0x8200'ffffU);
  EXPECT_TRUE(range.logged);
  EXPECT_EQ(range.then, device::AfterLast::repeat);
  ASSERT_EQ(range.answers.size(), 3U);
  EXPECT_EQ(range.answers[0].at(0), ~std::uint64_t{0});
  EXPECT_EQ(range.answers[2].at(0), std::uint64_t{0} - 22);
  EXPECT_EQ(range.answers[2].at(1), std::nullopt);
  EXPECT_EQ(range.answers[2].at(17), 3U);
  EXPECT_EQ(script->calls[2].mask, 0xffff'0000U);
}

// What is written to memory, in little-endian values of a width.
TEST(ParseEl3, WritesAreTaken) {
  const auto script = parse_el3("el3.yaml", R"(calls:
  - id: 0xc2000001
    answer: 0
    writes:
      - {to: rx, offset: 8, width: 16, values: [0x1234, -1]}
      - {to: x2, values: [1]}
      - {to: 0x50000000, width: 8, values: [7, 8]}
)");
  ASSERT_TRUE(script) << script.error().message;
  const auto& writes = script->calls[0].writes;
  ASSERT_EQ(writes.size(), 3U);
  using From = device::SecurePlace::From;
  EXPECT_EQ(writes[0].to.from, From::rx);
  EXPECT_EQ(writes[0].to.offset, 8U);
  EXPECT_THAT(writes[0].bytes,
              ElementsAre(std::byte{0x34}, std::byte{0x12}, std::byte{0xff}, std::byte{0xff}));
  EXPECT_EQ(writes[1].to.from, From::caller);
  EXPECT_EQ(writes[1].to.number, 2U);
  EXPECT_EQ(writes[1].bytes.size(), 8U);
  EXPECT_EQ(writes[2].to.number, 0x5000'0000U);
  EXPECT_EQ(writes[2].bytes.size(), 2U);
}

// A secure world with FF-A is a version, or a map that says more.
TEST(ParseEl3, FfaIsTaken) {
  const auto plain = parse_el3("el3.yaml", "ffa: 1.0");
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->ffa->version, 0x1'0000U);
  ASSERT_EQ(plain->ffa->partitions.size(), 1U);
  EXPECT_EQ(plain->ffa->partitions[0].id, 0x8001U);
  const auto full = parse_el3("el3.yaml", R"(ffa:
  version: 1.1
  fragment: 128
  handle: 0x77
  partitions:
    - {id: 0x8002, uuid: 486178e0-e7f8-11e3-bc5e-0002a5d5c51b, properties: 3}
)");
  ASSERT_TRUE(full) << full.error().message;
  EXPECT_EQ(full->ffa->version, 0x1'0001U);
  EXPECT_EQ(full->ffa->largest_fragment, 128U);
  EXPECT_EQ(full->ffa->first_handle, 0x77U);
  EXPECT_THAT(full->ffa->partitions[0].uuid,
              ElementsAre(0xe078'6148, 0xe311'f8e7, 0x0200'5ebc, 0x1bc5'd5a5));
}

struct Wrong {
  std::string_view text;
  std::string_view place;
  std::string_view words;
};

// A mistake is told with its line and column, and with what was expected.
TEST(ParseEl3, MistakesHaveAPlace) {
  constexpr auto cases = std::to_array<Wrong>({
      {"calls: [{answer: 0}]", "el3.yaml:1:9: ", "either 'id', or 'ids'"},
      {"calls: [{id: 1, ids: 1-2, answer: 0}]", "el3.yaml:1:9: ", "either 'id', or 'ids'"},
      {"calls: [{id: 0x100000000, answer: 0}]", "el3.yaml:1:14: ", "to 4294967295"},
      {"calls: [{ids: 5-4, answer: 0}]", "el3.yaml:1:15: ", "FIRST-LAST"},
      {"calls: [{ids: 5, answer: 0}]", "el3.yaml:1:15: ", "FIRST-LAST"},
      {"calls: [{ids: 1-2, mask: 1, answer: 0}]", "el3.yaml:1:26: ", "goes with 'id'"},
      {"calls: [{id: 3, mask: 1, answer: 0}]", "el3.yaml:1:14: ", "under this mask"},
      {"calls: [{id: 1}]", "el3.yaml:1:9: ", "either 'answer' or 'answers'"},
      {"calls: [{id: 1, answer: 0, then: last}]", "el3.yaml:1:34: ", "after 'answers'"},
      {"calls: [{id: 1, answers: [0], then: stored}]", "el3.yaml:1:37: ", "last or repeat"},
      {"calls: [{id: 1, answers: 0}]", "el3.yaml:1:26: ", "a list of answers"},
      {"calls: [{id: 1, answer: []}]", "el3.yaml:1:25: ", "1 to 18 values"},
      {"calls: [{id: 1, answer: {x18: 1}}]", "el3.yaml:1:26: ", "unknown key 'x18'"},
      {"calls: [{id: 1, answer: yes}]", "el3.yaml:1:25: ", "expected a number"},
      {"calls: [{id: 1, args: {x0: 1}, answer: 0}]", "el3.yaml:1:24: ", "unknown key 'x0'"},
      {"calls: [{id: 1, answer: 0, writes: [{to: rx}]}]", "el3.yaml:1:37: ", "list of 'values'"},
      {"calls: [{id: 1, answer: 0, writes: [{to: x9, values: [1]}]}]",
       "el3.yaml:1:42: ", "expected a number"},
      {"calls: [{id: 1, answer: 0, writes: [{to: 0, width: 5, values: [1]}]}]",
       "el3.yaml:1:37: ", "8, 16, 32 or 64"},
      {"ffa: 2.0", "el3.yaml:1:6: ", "1.0 or 1.1"},
      {"ffa: {fragment: 64}", "el3.yaml:1:6: ", "expected 'version'"},
      {"ffa: {version: 1.1, partitions: []}", "el3.yaml:1:33: ", "1 to 64"},
      {"ffa: {version: 1.1, partitions: [{id: 1}]}", "el3.yaml:1:39: ", "32768"},
      {"ffa: {version: 1.1, partitions: [{id: 0x8001, uuid: 1-2}]}", "el3.yaml:1:53: ", "a UUID"},
      {"delay: 1", "el3.yaml:1:1: ", "unknown key 'delay'"},
  });
  for (const Wrong& one : cases) {
    const auto script = parse_el3("el3.yaml", one.text);
    ASSERT_FALSE(script) << one.text;
    EXPECT_THAT(script.error().message, StartsWith(std::string(one.place))) << one.text;
    EXPECT_THAT(script.error().message, HasSubstr(std::string(one.words))) << one.text;
  }
  EXPECT_FALSE(parse_el3("el3.yaml", ""));
}

}  // namespace
}  // namespace pkvmemu::script
