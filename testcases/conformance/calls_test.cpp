// SPDX-License-Identifier: GPL-2.0-only
// Calls by a handler's name. What calls answer is in generations_test.cpp.
#include <gtest/gtest.h>

#include "harness/emulator.h"

namespace pkvmemu::test {
namespace {

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
