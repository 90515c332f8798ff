// SPDX-License-Identifier: GPL-2.0-only
// The same files on two machines, and twice on one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "harness/in_process.h"
#include "system/scenarios.h"

namespace pkvmemu::test {
namespace {

class EveryScenario : public testing::TestWithParam<Scenario> {};

INSTANTIATE_TEST_SUITE_P(System, EveryScenario, testing::ValuesIn(scenarios()),
                         [](const auto& instance) { return instance.param.name; });

// Our machine and QEMU's `virt` print the same console, line by line, for the same files.
TEST_P(EveryScenario, PrintsTheSameUnderQemu) {
  const auto ours = run_emulator(GetParam().arguments);
  ASSERT_FALSE(ours.console.empty()) << ours.process.out << ours.process.err;
  const auto theirs = run_qemu(GetParam().arguments);
  for (std::size_t line = 0; line < std::min(ours.console.size(), theirs.size()); ++line)
    ASSERT_EQ(ours.console[line], theirs[line])
        << "line " << line + 1 << ": ours is the left one, QEMU's the right one";
  EXPECT_EQ(ours.console.size(), theirs.size());
}

// Two runs give the same output and the same report, instruction counts included.
TEST_P(EveryScenario, RunsTheSameTwice) {
  const auto first = run_emulator(GetParam().arguments);
  const auto second = run_emulator(GetParam().arguments);
  ASSERT_FALSE(first.report.is_null()) << first.process.out << first.process.err;
  EXPECT_EQ(first.process.exit_code, second.process.exit_code);
  EXPECT_EQ(first.process.out, second.process.out);
  EXPECT_EQ(first.report.dump(1), second.report.dump(1));
}

/// A run of counter with one call, started and ended.
std::unique_ptr<machine::Machine> run_counter() {
  tool::RunOptions options;
  options.modules = {module("counter")};
  options.wishes.push_back({.verb = tool::RcVerb::call, .target = "counter_hvc", .args = {0, 5}});
  auto machine = boot_in_process(options);
  EXPECT_EQ(machine->run().reason, machine::ExitReason::powered_off) << machine->console();
  return machine;
}

// Two runs produce the same event records, byte for byte, at the same instruction counts.
TEST(Determinism, EventRecordsAreTheSameTwice) {
  const auto first = run_counter();
  const auto second = run_counter();
  EXPECT_EQ(first->instructions(), second->instructions());
  const auto ours = first->events();
  const auto again = second->events();
  ASSERT_EQ(ours.size(), again.size());
  ASSERT_GE(ours.size(), 8U);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(ours[i].from_hyp, again[i].from_hyp) << i;
    EXPECT_EQ(ours[i].instructions, again[i].instructions) << i;
    EXPECT_EQ(ours[i].el2_instructions, again[i].el2_instructions) << i;
    EXPECT_EQ(std::memcmp(&ours[i].record, &again[i].record, sizeof(ours[i].record)), 0)
        << "record " << i << ", kind " << static_cast<unsigned>(ours[i].record.kind);
  }
}

}  // namespace
}  // namespace pkvmemu::test
