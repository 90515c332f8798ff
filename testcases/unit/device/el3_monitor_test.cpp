// SPDX-License-Identifier: GPL-2.0-only
// The same calls are compared with QEMU's answers in testcases/unit/machine/exceptions_test.cpp.
#include "device/el3_monitor.h"

#include <gtest/gtest.h>

#include "pkvm/smccc.h"

namespace pkvmemu::device {
namespace {

using Action = El3Monitor::Action;

struct Case {
  const char* name;
  El3Monitor::Arguments x;
  std::int64_t x0;
  Action action = Action::resume;
};

// Each call's answer and what it does to the machine (PSCI 1.1, one CPU).
TEST(El3Monitor, AnswersPsci) {
  constexpr std::array cases{
      Case{"VERSION", {0x8400'0000}, 0x1'0001},
      Case{"FEATURES of SYSTEM_OFF", {0x8400'000a, 0x8400'0008}, 0},
      Case{"FEATURES of CPU_ON64", {0x8400'000a, 0xc400'0003}, 0},
      Case{"FEATURES of SYSTEM_SUSPEND", {0x8400'000a, 0xc400'000e}, -1},
      Case{"SYSTEM_OFF", {0x8400'0008}, 0, Action::power_off},
      Case{"SYSTEM_RESET", {0x8400'0009}, 0, Action::reset},
      Case{"CPU_OFF", {0x8400'0002}, 0, Action::halt},
      Case{"CPU_SUSPEND, standby", {0xc400'0001, 0}, 0},
      Case{"CPU_SUSPEND, powerdown",
           {0xc400'0001, 0x1'0000, 0x4020'0000, 0x77},
           0x77,
           Action::power_up},
      Case{"CPU_SUSPEND, powerdown to nowhere", {0xc400'0001, 0x1'0000, 0}, -9},
      Case{"CPU_SUSPEND, powerdown to no instruction", {0xc400'0001, 0x1'0000, 0x4020'0002}, -9},
      Case{"CPU_SUSPEND with reserved bits", {0xc400'0001, 0x8000'0000}, -2},
      Case{"CPU_ON of this CPU", {0xc400'0003, 0}, -4},
      Case{"CPU_ON of another", {0xc400'0003, 1}, -2},
      Case{"CPU_ON32 of another", {0x8400'0003, 1}, -2},
      Case{"AFFINITY_INFO of this CPU", {0xc400'0004, 0, 0}, 0},
      Case{"AFFINITY_INFO of another", {0xc400'0004, 1, 0}, -2},
      Case{"AFFINITY_INFO of a cluster", {0xc400'0004, 1, 1}, 0},
      Case{"MIGRATE_INFO_TYPE", {0x8400'0006}, 2},
  };
  for (const Case& one : cases) {
    const auto answer = El3Monitor::call(one.x);
    EXPECT_EQ(answer.x0, one.x0) << one.name;
    EXPECT_EQ(answer.action, one.action) << one.name;
  }
}

// All else is NOT_SUPPORTED and harmless: SMCCC, vendor calls, ids with rubbish above bit 31.
TEST(El3Monitor, RefusesTheRest) {
  for (const std::uint64_t id :
       {std::uint64_t{0x8000'0000}, std::uint64_t{0x8000'0001}, std::uint64_t{0xc200'0000},
        std::uint64_t{0}, std::uint64_t{0x1'8400'0008}, ~std::uint64_t{0}}) {
    const auto answer = El3Monitor::call({id, 1, 2, 3});
    EXPECT_EQ(answer.x0, pkvm::smccc::not_supported) << id;
    EXPECT_EQ(answer.action, Action::resume) << id;
  }
}

}  // namespace
}  // namespace pkvmemu::device
