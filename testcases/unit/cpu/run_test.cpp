// SPDX-License-Identifier: GPL-2.0-only
// Running: budget and counts, stops, devices, code that changes, time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "cpu/engine.h"
#include "cpu/system_registers.h"
#include "cpu_fixture.h"

namespace pkvmemu::cpu {
namespace {

using ::testing::ElementsAre;
using Running = CpuFixture;
using Access = RecordingWindow::Access;

constexpr std::uint32_t vbar_el2 = sys_reg(3, 4, 12, 0, 0).encoding;
constexpr std::uint32_t vbar_el1 = sys_reg(3, 0, 12, 0, 0).encoding;

// An SMC reaches the board with PC behind it, and run() can go on from there.
TEST_F(Running, AnSmcStopsAndTheNextRunGoesOn) {
  put(code, {a64::movz(0, 1), a64::smc(0), a64::movz(0, 2), a64::smc(0)});
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(cpu_->pc(), code + 8);
  EXPECT_EQ(cpu_->x(0), 1U);
  EXPECT_EQ(cpu_->instructions(), 2U);
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(cpu_->x(0), 2U);
  EXPECT_EQ(cpu_->instructions(), 4U);
}

// WFI with nothing to wake it ends the run, after it has been counted.
TEST_F(Running, WfiHalts) {
  put(code, {a64::nop, a64::wfi});
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::halted);
  EXPECT_EQ(cpu_->pc(), code + 8);
  EXPECT_EQ(cpu_->instructions(), 2U);
}

// However large the budget, it is never exceeded, and what is missing is less than one block; the
// registers are those of that very count.
TEST_F(Running, TheBudgetIsNeverExceeded) {
  // A loop of three: x1 counts rounds.
  put(code, {a64::add(1, 1, 1), a64::nop, a64::branch(-2)});
  for (std::uint64_t budget = 1; budget < 40; ++budget) {
    EXPECT_EQ(cpu_->run(budget).reason, StopReason::budget_spent);
    EXPECT_LE(cpu_->instructions(), budget);
    EXPECT_GT(cpu_->instructions() + 3, budget);
    EXPECT_EQ(cpu_->x(1), cpu_->instructions() / 3);
    EXPECT_EQ(cpu_->pc(), code);
  }
}

// A spent budget leaves a state from which a larger one goes on as if nothing had been.
TEST_F(Running, ALargerBudgetContinues) {
  put(code, {a64::movz(2, 1000), a64::add(1, 1, 1), a64::subs(2, 2, 1), a64::branch_not_equal(-2),
             a64::smc(0)});
  EXPECT_EQ(cpu_->run(500).reason, StopReason::budget_spent);
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(cpu_->x(1), 1000U);
  EXPECT_EQ(cpu_->instructions(), 1U + 3000U + 1U);
}

// An endless loop of one instruction ends at a request from another thread.
TEST_F(Running, ARequestFromAnotherThreadStops) {
  put(code, {a64::branch_to_self});
  std::thread other([this] { cpu_->request_stop(); });
  EXPECT_EQ(cpu_->run(~std::uint64_t{0} >> 1).reason, StopReason::requested);
  other.join();
  EXPECT_EQ(cpu_->pc(), code);
}

// The board hears of a watched instruction each time, before it runs: what it puts into a register
// there the instruction sees. Others it does not hear of.
TEST_F(Running, WatchedCodeIsReportedBeforeItRuns) {
  put(code, {a64::movz(2, 3), a64::add(1, 1, 1), a64::subs(2, 2, 1), a64::branch_not_equal(-2),
             a64::smc(0)});
  cpu_->watch_code(code + 4);
  board_.on_code = [this] { cpu_->set_x(1, cpu_->x(1) + 100); };
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_THAT(board_.reached, ElementsAre(code + 4, code + 4, code + 4));
  EXPECT_EQ(cpu_->x(1), 303U);
  EXPECT_EQ(cpu_->instructions(), 1U + 9U + 1U);
}

// A board that stops there stops before the watched instruction, with the exact count, and the next
// run goes on with it.
TEST_F(Running, AStopAtWatchedCodeIsBeforeIt) {
  put(code, {a64::movz(1, 1), a64::nop, a64::add(1, 1, 1), a64::nop, a64::smc(0)});
  cpu_->watch_code(code + 8);
  board_.on_code = [this] { cpu_->stop(); };
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(board_.secure_calls, 0U);
  EXPECT_EQ(cpu_->pc(), code + 8);
  EXPECT_EQ(cpu_->x(1), 1U);
  EXPECT_EQ(cpu_->instructions(), 2U);
  board_.on_code = nullptr;
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(board_.secure_calls, 1U);
  EXPECT_EQ(cpu_->x(1), 2U);
  EXPECT_EQ(cpu_->instructions(), 5U);
}

// A fault in the middle of a block counts what ran before it, and not the rest.
TEST_F(Running, AFaultInTheMiddleOfABlockIsCountedExactly) {
  put(el2_vectors + 0x200, {a64::smc(0)});
  put(code, {a64::msr(vbar_el2, 3), a64::nop, a64::nop, a64::ldr(0, 4), a64::nop, a64::nop,
             a64::nop, a64::nop});
  cpu_->set_x(3, el2_vectors);
  cpu_->set_x(4, 0x1000);  // nothing there
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(cpu_->engine().get(UC_ARM64_REG_ELR_EL2), code + 12);
  EXPECT_EQ(cpu_->instructions(), 3U + 1U);
}

// The counters read the instruction count in both flavours, exactly at the instruction that reads,
// and CNTVOFF_EL2 is between them.
TEST_F(Running, CountersAreTheInstructionCount) {
  put(code, {a64::msr(reg::cntvoff_el2.encoding, 5), a64::movz(2, 1000), a64::subs(2, 2, 1),
             a64::branch_not_equal(-1), a64::nop, a64::mrs(0, reg::cntpct_el0.encoding), a64::nop,
             a64::mrs(1, reg::cntvct_el0.encoding), a64::nop, a64::smc(0)});
  cpu_->set_x(5, 7);
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(cpu_->x(0), (2U + 2000U + 1U) / instructions_per_tick);
  EXPECT_EQ(cpu_->x(1), (2U + 2000U + 3U) / instructions_per_tick - 7);
}

// ID registers hide what the engine has no way to run or would run slowly, and keep the rest.
TEST_F(Running, IdRegistersSayWhatThisBoardIs) {
  put(code,
      {a64::mrs(0, reg::id_aa64mmfr1_el1.encoding), a64::mrs(1, reg::id_aa64isar1_el1.encoding),
       a64::mrs(2, reg::id_aa64pfr0_el1.encoding), a64::mrs(3, reg::id_aa64isar0_el1.encoding),
       a64::smc(0)});
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(bits(cpu_->x(0), 11, 8), 0U) << "VHE";
  EXPECT_EQ(cpu_->x(1) & 0xff00'0ff0, 0U) << "pointer authentication";
  EXPECT_NE(bits(cpu_->x(2), 11, 8), 0U) << "EL2 is there";
  EXPECT_EQ(bits(cpu_->x(2), 35, 32), 0U) << "SVE";
  EXPECT_EQ(bits(cpu_->x(3), 63, 60), 0U) << "RNDR";
  EXPECT_EQ(bits(cpu_->x(3), 23, 20), 2U) << "LSE atomics are there";
}

// RNDR, though not offered, gives the same numbers in every run, and different ones in one run.
TEST_F(Running, RandomNumbersRepeatFromRunToRun) {
  put(code, {a64::mrs(0, reg::rndr.encoding), a64::mrs(1, reg::rndrrs.encoding), a64::smc(0)});
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(cpu_->x(0), 0xe220'a839'7b1d'cdafU);  // SplitMix64's first from state 0
  EXPECT_NE(cpu_->x(0), cpu_->x(1));
}

// Device accesses arrive with their size and offset; one of 64 bits as two of 32, low half first.
TEST_F(Running, DeviceAccessesKeepTheirSize) {
  put(code, {a64::str_w(1, 0), a64::ldr_w(2, 0), a64::str(1, 0), a64::ldr(3, 0), a64::smc(0)});
  cpu_->set_x(0, window_base + 0x10);
  cpu_->set_x(1, 0xaaaa'bbbb'cccc'dddd);
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_THAT(window_.accesses,
              ElementsAre(Access{'w', 0x10, 4, 0xcccc'dddd}, Access{'r', 0x10, 4, 0},
                          Access{'w', 0x10, 4, 0xcccc'dddd}, Access{'w', 0x14, 4, 0xaaaa'bbbb},
                          Access{'r', 0x10, 4, 0}, Access{'r', 0x14, 4, 0}));
  EXPECT_EQ(cpu_->x(2), 0x1111'2232U);
  EXPECT_EQ(cpu_->x(3), 0x1111'2236'1111'2232U);
}

// Code that the guest overwrites runs as overwritten, the very next time.
TEST_F(Running, CodeThatTheGuestWritesRunsAsWritten) {
  // Calls x10 three times, storing another instruction over it in between.
  constexpr std::uint32_t blr_x10 = 0xd63f'0140;
  constexpr std::uint32_t ret = 0xd65f'03c0;
  put(data, {a64::movz(0, 1), ret});
  put(code, {blr_x10, a64::add(5, 0, 0), a64::str_w(11, 10), a64::isb, blr_x10, a64::add(6, 0, 0),
             a64::str_w(12, 10), a64::isb, blr_x10, a64::smc(0)});
  cpu_->set_x(10, data);
  cpu_->set_x(11, a64::movz(0, 2));
  cpu_->set_x(12, a64::movz(0, 3));
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_THAT((std::vector{cpu_->x(5), cpu_->x(6), cpu_->x(0)}), ElementsAre(1U, 2U, 3U));
}

// The same when the page is written before it is ever run: a store then must not make it
// execute-never, nor the fetch make it read-only.
TEST_F(Running, CodeThatTheGuestCopiesRuns) {
  constexpr std::uint32_t blr_x10 = 0xd63f'0140;
  constexpr std::uint32_t ret = 0xd65f'03c0;
  put(code,
      {a64::str(11, 10), a64::isb, blr_x10, a64::str(12, 10), a64::isb, blr_x10, a64::smc(0)});
  cpu_->set_x(10, data);
  cpu_->set_x(11, a64::movz(0, 2) | std::uint64_t{ret} << 32);
  cpu_->set_x(12, a64::add(0, 0, 40) | std::uint64_t{ret} << 32);
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(cpu_->x(0), 42U);
}

// A guest whose vector table is not there faults on its own vector for ever: wedged, at once.
TEST_F(Running, AVectorThatIsNotThereWedges) {
  put(code, {a64::msr(vbar_el2, 0), a64::svc(0)});
  cpu_->set_x(0, 0x1000);
  const Stop stop = cpu_->run(plenty);
  EXPECT_EQ(stop.reason, StopReason::wedged);
  EXPECT_THAT(stop.detail, ::testing::HasSubstr("0x1200"));
  EXPECT_LT(cpu_->instructions(), 10U);
}

// So does one whose handler faults on its stack before it gets anywhere.
TEST_F(Running, AHandlerThatFaultsInItsFirstInstructionsWedges) {
  put(el2_vectors + 0x200, {a64::nop, a64::add(9, 9, 8), a64::str(0, 9)});
  put(code, {a64::msr(vbar_el2, 0), a64::svc(0)});
  cpu_->set_x(0, el2_vectors);
  cpu_->set_x(9, 0x1000);
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::wedged);
}

// A handler that is entered often, but returns each time, is not wedged.
TEST_F(Running, ManyExceptionsThatReturnAreNotWedged) {
  put(el2_vectors + 0x200, {a64::eret});
  put(code, {a64::msr(vbar_el2, 0), a64::movz(2, 5000), a64::svc(0), a64::subs(2, 2, 1),
             a64::branch_not_equal(-2), a64::smc(0)});
  cpu_->set_x(0, el2_vectors);
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(cpu_->instructions(), 2U + 5000U * 4U + 1U);
}

// Instructions of EL2 are counted apart from those of EL1 while that is watched, to the
// instruction, faults in the middle of blocks included; entries and returns are reported in order.
TEST_F(Running, El2InstructionsAndTransitionsAreWatched) {
  // EL2: set up, drop to EL1. EL1: hvc; the handler of 4 instructions returns; smc.
  constexpr std::uint32_t elr_el2 = sys_reg(3, 4, 4, 0, 1).encoding;
  put(code, {a64::msr(vbar_el2, 0), a64::msr(elr_el2, 1), a64::msr(reg::spsr_el2.encoding, 2),
             a64::msr(reg::hcr_el2.encoding, 3), a64::msr(vbar_el1, 0), a64::eret});
  put(data, {a64::nop, a64::hvc(0), a64::nop, a64::hvc(1), a64::smc(0)});
  put(el2_vectors + 0x400, {a64::nop, a64::nop, a64::nop, a64::eret});
  cpu_->set_x(0, el2_vectors);
  cpu_->set_x(1, data);
  cpu_->set_x(2, pstate::handler_mode(1));
  cpu_->set_x(3, bit(31));
  cpu_->watch({.exceptions = true, .returns = true, .el2_count = true});
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(cpu_->el2_instructions(), 6U + 2U * 4U);
  EXPECT_EQ(cpu_->instructions(), 6U + 5U + 2U * 4U);
  ASSERT_EQ(board_.entries.size(), 2U);
  EXPECT_EQ(board_.entries[1].esr, 0x5a00'0001U);
  EXPECT_EQ(board_.entries[1].elr, data + 16);
  EXPECT_THAT(board_.returns, ElementsAre(std::pair(2U, 1U), std::pair(2U, 1U), std::pair(2U, 1U)));
}

}  // namespace
}  // namespace pkvmemu::cpu
