// SPDX-License-Identifier: GPL-2.0-only
// Watched instructions: told of once for each execution, and what the board may do there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cpu/sys_reg.h"
#include "cpu_fixture.h"

namespace pkvmemu::cpu {
namespace {

using ::testing::ElementsAre;

class Watched : public CpuFixture {
 protected:
  static constexpr unsigned rounds = 3;

  /// x0 counts rounds down; x1 and x2 count what is done in them. The place is in mid-block.
  void put_loop() {
    put(code, {a64::movz(0, rounds), a64::add(1, 1, 1), a64::add(2, 2, 1), a64::subs(0, 0, 1),
               a64::branch_not_equal(-3), a64::smc(0)});
    cpu_->watch_code(place);
  }
  static constexpr std::uint64_t place = code + 8;
  static constexpr std::uint64_t per_round = 4;
  static constexpr std::uint64_t all = 1 + rounds * per_round + 1;
};

// A stop is before the instruction with the exact count; the run that follows goes on with it and
// does not tell of it again, so that a run stopped at every occurrence tells of each once.
TEST_F(Watched, AStopIsToldOfOnce) {
  put_loop();
  board_.on_code = [this] { cpu_->stop(); };
  for (unsigned round = 0; round < rounds; ++round) {
    EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
    EXPECT_EQ(cpu_->pc(), place);
    EXPECT_EQ(cpu_->instructions(), 2 + round * per_round);
    EXPECT_EQ(cpu_->x(1), round + 1);
    EXPECT_EQ(cpu_->x(2), round);
  }
  EXPECT_EQ(board_.reached.size(), rounds);
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(board_.secure_calls, 1U);
  EXPECT_EQ(board_.reached.size(), rounds);
  EXPECT_EQ(cpu_->x(2), rounds);
  EXPECT_EQ(cpu_->instructions(), all);
}

// Going back to a state saved at a stop is being there again: the instruction has been told of.
TEST_F(Watched, ARestoreIsToTheSameSideOfTheTelling) {
  put_loop();
  board_.on_code = [this] { cpu_->stop(); };
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  const auto saved = cpu_->save();
  board_.on_code = nullptr;
  for (int again = 0; again < 2; ++again) {
    board_.reached.clear();
    EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
    EXPECT_EQ(board_.reached.size(), rounds - 1);
    EXPECT_EQ(cpu_->instructions(), all);
    cpu_->restore(*saved);
    EXPECT_EQ(cpu_->instructions(), 2U);
  }
}

// While the board is told, the count and PC are those of the instruction.
TEST_F(Watched, CountAndPcAreExactWhileTheBoardIsTold) {
  put_loop();
  std::vector<std::uint64_t> counts;
  board_.on_code = [&] {
    counts.push_back(cpu_->instructions());
    EXPECT_EQ(cpu_->pc(), place);
  };
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_THAT(counts, ElementsAre(2, 2 + per_round, 2 + 2 * per_round));
}

// Where Until stops at a watched instruction, the board is told when it runs, once.
TEST_F(Watched, UntilStopsBeforeTheBoardIsTold) {
  put_loop();
  EXPECT_EQ(cpu_->run(plenty, {.instructions = {}, .place = {{.pc = place, .el = {}}}}).reason,
            StopReason::reached);
  EXPECT_EQ(board_.reached.size(), 0U);
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(board_.reached.size(), rounds);
  EXPECT_EQ(cpu_->instructions(), all);
}

// Watched only after it has run, from a callback or between runs, it is told of from then on.
TEST_F(Watched, CodeThatHasRunAlready) {
  put(code, {a64::movz(0, rounds), a64::add(1, 1, 1), a64::add(2, 2, 1), a64::subs(0, 0, 1),
             a64::branch_not_equal(-3), a64::smc(0), a64::branch(-6)});
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  cpu_->watch_code(place);
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(board_.reached, std::vector<std::uint64_t>(rounds, place));

  constexpr std::uint64_t later = place + 4;
  board_.on_code = [this] { cpu_->watch_code(later); };
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  board_.on_code = nullptr;
  board_.reached.clear();
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_THAT(board_.reached, ElementsAre(place, later, place, later, place, later));
}

// An instruction that is watched twice is told of once.
TEST_F(Watched, TwiceIsAsOnce) {
  put_loop();
  cpu_->watch_code(place);
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(board_.reached.size(), rounds);
}

// Setting PC goes elsewhere instead of running the instruction, which counts as one all the same.
TEST_F(Watched, SettingPcTakesThePlaceOfTheInstruction) {
  put_loop();
  board_.on_code = [this] {
    if (board_.reached.size() == 2) cpu_->set_pc(place + 4);
  };
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(cpu_->x(1), rounds);
  EXPECT_EQ(cpu_->x(2), rounds - 1);
  EXPECT_EQ(cpu_->instructions(), all);
}

// A board that sends the CPU back to where it is for ever ends with the budget, as a branch would.
TEST_F(Watched, GoingInCirclesSpendsTheBudget) {
  put_loop();
  constexpr std::uint64_t budget = 1000;
  board_.on_code = [this] { cpu_->set_pc(place); };
  EXPECT_EQ(cpu_->run(budget).reason, StopReason::budget_spent);
  EXPECT_LE(cpu_->instructions(), budget);
  EXPECT_GT(cpu_->instructions(), budget - per_round);
}

// A move and a stop at once: the run ends at the new place, and goes on there.
TEST_F(Watched, AMoveAndAStopAreBothDone) {
  put_loop();
  board_.on_code = [this] {
    cpu_->set_pc(place + 4);
    cpu_->stop();
  };
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(cpu_->pc(), place + 4);
  EXPECT_EQ(cpu_->instructions(), 3U);
  board_.on_code = nullptr;
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(cpu_->x(2), rounds - 1);
  EXPECT_EQ(cpu_->instructions(), all);
}

// Code that the board changes ahead of PC is what runs, the very next instruction included, and the
// counts stay exact.
TEST_F(Watched, ChangedCodeAheadIsWhatRuns) {
  put_loop();
  board_.on_code = [this] {
    cpu_->page_replaced(Pa{code});
    put(place, {a64::add(2, 2, 100)});
    cpu_->memory_replaced();
  };
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(board_.reached.size(), rounds);
  EXPECT_EQ(cpu_->x(2), 100 * rounds);
  EXPECT_EQ(cpu_->instructions(), all);
}

// A fault on the watched instruction is an attempt like any other: the board is told of it, and
// again when the handler comes back to it.
TEST_F(Watched, AnAttemptThatFaultsIsToldOf) {
  // The handler makes the address good and returns.
  put(el2_vectors + 0x200, {a64::add(4, 5, 0), a64::eret});
  put(code, {a64::msr(sys_reg(3, 4, 12, 0, 0).encoding, 3), a64::nop, a64::ldr(0, 4), a64::smc(0)});
  cpu_->set_x(3, el2_vectors);
  cpu_->set_x(4, 0x1000);  // nothing there
  cpu_->set_x(5, data);
  cpu_->watch_code(code + 8);
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_THAT(board_.reached, ElementsAre(code + 8, code + 8));
  EXPECT_EQ(cpu_->instructions(), 2U + 2U + 2U);
}

}  // namespace
}  // namespace pkvmemu::cpu
