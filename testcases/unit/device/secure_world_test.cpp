// SPDX-License-Identifier: GPL-2.0-only
// Who answers an SMC at EL3: a script, PSCI, or nobody.
#include "device/secure_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

namespace pkvmemu::device {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t minus_one = ~std::uint64_t{0};
constexpr std::uint32_t vendor = 0xc200'0001;
constexpr std::uint32_t psci_version = 0x8400'0000;

SecureCallScript function(std::uint32_t id, std::vector<SecureAnswer> answers) {
  return {.first = id, .last = id, .answers = std::move(answers)};
}

SecureWorld::Answer call(SecureWorld& world, SecureWorld::Registers x) {
  return world.call(x);
}

// What nobody knows is NOT_SUPPORTED, and counted as unanswered; registers stay.
TEST(SecureWorld, NobodyKnowsAVendorsCall) {
  SecureWorld world({}, {});
  const auto answer = call(world, {vendor, 7});
  EXPECT_EQ(answer.x[0], minus_one);
  EXPECT_EQ(answer.x[1], 7U);
  ASSERT_EQ(world.use().size(), 1U);
  EXPECT_EQ(world.use()[0].unanswered, 1U);
}

// A script's answers come in turn, and the last one stays, or they begin anew.
TEST(SecureWorld, AnswersComeInTurn) {
  SecureCallScript repeats = function(vendor + 1, {{5}, {6}});
  repeats.then = AfterLast::repeat;
  SecureWorld world({function(vendor, {{minus_one}, {0, 0x12}}), repeats}, {});
  EXPECT_EQ(call(world, {vendor}).x[0], minus_one);
  for (int i = 0; i < 2; ++i) {
    const auto answer = call(world, {vendor, 7, 8});
    EXPECT_THAT((std::vector(answer.x.begin(), answer.x.begin() + 3)), ElementsAre(0, 0x12, 8));
  }
  for (const std::uint64_t wanted : {5U, 6U, 5U})
    EXPECT_EQ(call(world, {vendor + 1}).x[0], wanted);
  EXPECT_EQ(world.use()[0].unanswered, 0U);
  EXPECT_TRUE(world.use()[0].is_scripted);
}

// The first script that fits answers: by arguments, then for any, then a range.
TEST(SecureWorld, ArgumentsAndRangesDecide) {
  SecureCallScript for_one = function(vendor, {{1}});
  for_one.arguments[0] = 0x10;
  SecureCallScript range{.first = 0xc200'0000, .last = 0xc200'ffff, .answers = {{3}}};
  SecureCallScript masked{
      .first = 0xc300'0000, .last = 0xc300'0000, .mask = 0xffff'0000, .answers = {{4}}};
  SecureWorld world({for_one, function(vendor, {{2}}), range, masked}, {});
  EXPECT_EQ(call(world, {vendor, 0x10}).x[0], 1U);
  EXPECT_EQ(call(world, {vendor, 0x11}).x[0], 2U);
  EXPECT_EQ(call(world, {vendor + 1}).x[0], 3U);
  EXPECT_EQ(call(world, {0xc300'1234}).x[0], 4U);
  EXPECT_EQ(call(world, {0xc301'0000}).x[0], minus_one);
}

// PSCI is ours: a range over it leaves it alone, its own number takes it over.
TEST(SecureWorld, OnlyItsOwnNumberTakesAPsciFunctionOver) {
  SecureWorld wide({{.first = 0, .last = 0xffff'ffff, .answers = {{9}}}}, {});
  EXPECT_EQ(call(wide, {psci_version}).x[0], 0x1'0001U);
  EXPECT_EQ(call(wide, {0x8400'0063}).x[0], 9U) << "FF-A is not PSCI";
  SecureWorld exact({function(psci_version, {{9}})}, {});
  EXPECT_EQ(call(exact, {psci_version}).x[0], 9U);
}

// Counts and turns are come back to; the log names the call and who did not answer.
TEST(SecureWorld, AStateIsComeBackTo) {
  std::vector<std::string> log;
  SecureWorld world({function(vendor, {{1}, {2}, {3}})},
                    [&](const std::string& line) { log.push_back(line); });
  world.log_everything();
  EXPECT_EQ(call(world, {vendor}).x[0], 1U);
  const SecureWorld::State saved = world.save();
  EXPECT_EQ(call(world, {vendor}).x[0], 2U);
  world.restore(saved);
  EXPECT_EQ(call(world, {vendor}).x[0], 2U);
  EXPECT_EQ(world.use()[0].calls, 2U);
  EXPECT_EQ(call(world, {0xc300'0000}).x[0], minus_one);
  EXPECT_THAT(log.front(), HasSubstr("0xc2000001(0x0"));
  EXPECT_THAT(log.back(), HasSubstr("nobody answers"));
}

// A script writes before it answers: to an address, where the caller points, and to the buffer that
// its last FFA_RXTX_MAP named. What is no RAM is told.
TEST(SecureWorld, AScriptWritesMemory) {
  std::vector<std::uint64_t> written;
  std::vector<std::string> log;
  SecureCallScript script = function(vendor, {{0}});
  using From = SecurePlace::From;
  for (const SecurePlace place :
       {SecurePlace{.number = 0x1000, .offset = 8}, SecurePlace{.from = From::caller, .number = 2},
        SecurePlace{.from = From::rx, .offset = 0x10}, SecurePlace{.number = 0x9'0000}})
    script.writes.push_back({.to = place, .bytes = {std::byte{1}}});
  SecureWorld world({script, function(0xc400'0066, {{0}})},
                    [&](const std::string& line) { log.push_back(line); },
                    {.read = {}, .write = [&](Pa at, std::span<const std::byte>) {
                       if (at.value >= 0x9'0000) return false;
                       written.push_back(at.value);
                       return true;
                     }});
  call(world, {0xc400'0066, 0x4000, 0x5000, 1});
  call(world, {vendor, 0, 0x2000});
  EXPECT_THAT(written, ElementsAre(0x1008, 0x2000, 0x5010));
  EXPECT_THAT(log, ElementsAre(HasSubstr("0x90000, where is no RAM")));
}

// FF-A answers what no script does, and PSCI stays ours.
TEST(SecureWorld, FfaComesAfterScripts) {
  SecureWorld world({function(0x8400'0069, {{0x8400'0061, 0, 7}})}, {});
  EXPECT_EQ(call(world, {0x8400'0063, 0x1'0001}).x[0], minus_one);
  world.speak_ffa({.version = 0x1'0001});
  EXPECT_EQ(call(world, {0x8400'0063, 0x1'0001}).x[0], 0x1'0001U);
  EXPECT_EQ(call(world, {0x8400'0069}).x[2], 7U);
  EXPECT_EQ(call(world, {psci_version}).x[0], 0x1'0001U);
  EXPECT_EQ(call(world, {vendor}).x[0], minus_one);
  EXPECT_EQ(world.use()[0].name, "FFA_VERSION");
}

}  // namespace
}  // namespace pkvmemu::device
