// SPDX-License-Identifier: GPL-2.0-only
// What a real android15-6.6 pKVM answered to host calls, row by row (docs/conformance.md, "Calls"):
// handler 128 adds x1+x2+x3 into x1, copies x4 into x2, sets x3 = 0xabc and x0 = 0.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/emulator.h"

namespace pkvmemu::test {
namespace {

constexpr auto minus_one = "0xffffffffffffffff";

struct CallRow {
  std::string sentence;
  Arguments call;
  std::vector<std::string> x0_to_x3;

  friend void PrintTo(const CallRow& row, std::ostream* out) { *out << row.sentence; }
};

class Calls : public testing::TestWithParam<CallRow> {};

INSTANTIATE_TEST_SUITE_P(Measured, Calls,
                         testing::Values(CallRow{"ARegisteredHandlerAnswers",
                                                 {"--call", "128:0x11,0x22,0x33,0x44"},
                                                 {"0x0", "0x66", "0x44", "0xabc"}},
                                         CallRow{"AnUnregisteredIdIsNotSupported",
                                                 {"--call", "200:0x11,0x22,0x33,0x44"},
                                                 {minus_one, "0x11", "0x22", "0x33"}},
                                         CallRow{"AnIdBeyondEveryTableIsNotSupported",
                                                 {"--call", "5000:0x11,0x22,0x33,0x44"},
                                                 {minus_one, "0x11", "0x22", "0x33"}},
                                         CallRow{"SmcccVersionByHvcIsNotSupported",
                                                 {"--hvc", "0x80000000:0x11,0x22,0x33,0x44"},
                                                 {minus_one, "0x11", "0x22", "0x33"}}),
                         [](const auto& instance) { return instance.param.sentence; });

// x0 to x3 after the call are those that were measured.
TEST_P(Calls, AnswersAsMeasured) {
  Arguments arguments{module("calls")};
  arguments.insert(arguments.end(), GetParam().call.begin(), GetParam().call.end());
  const auto run = run_emulator(arguments);
  ASSERT_FALSE(run.report.is_null()) << run.process.out << run.process.err;
  const auto& result = run.report.at("calls").at(0).at("result");
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(result.at(i), GetParam().x0_to_x3[i]) << "x" << i << "\n" << run.process.out;
}

// The handler, called by name instead of by number, is the same handler.
TEST(CallsByName, ReachTheSameHandler) {
  for (const std::string name : {"calls_hvc", "calls/calls_hvc"}) {
    const auto run = run_emulator({module("calls"), "--call", name + ":1,2,3,4"});
    ASSERT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
    EXPECT_EQ(run.report.at("calls").at(0).at("result").at(1), "0x6");
    EXPECT_EQ(run.report.at("calls").at(0).at("id"), 128);
  }
}

}  // namespace
}  // namespace pkvmemu::test
