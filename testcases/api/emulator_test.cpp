// SPDX-License-Identifier: GPL-2.0-only
// Requests that a test thinks of while the machine runs, and moments to come back to.
#include "pkvmemu/emulator.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "generations.h"
#include "modules/memory/operations.h"
#include "pkvmemu/gmock.h"

namespace pkvmemu::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Emulators : public OnEveryGeneration {};
INSTANTIATE_TEST_SUITE_P(Generations, Emulators, every_generation(), generation_name);

constexpr PhysicalAddress some_page{0x5000'0000};
constexpr std::uint64_t some_pfn = some_page.value >> 12U;

// Calls are answered as they are thought of, each with its own arguments, and the run then ends as
// ever.
TEST_P(Emulators, CallsAreMadeAsTheyCome) {
  auto emulator = Emulator::boot({.modules = {built("hello")}});
  EXPECT_EQ(emulator.stage(), Stage::after_deprivilege);
  EXPECT_EQ(emulator.generation(), GetParam());
  EXPECT_THAT(emulator.call("hello/hello_hvc", {1, 2}), Answers(0, 3));
  const LoadResult hello = emulator.module("hello");
  ASSERT_THAT(hello, Loaded());
  ASSERT_EQ(hello.handlers.size(), 1U);
  EXPECT_EQ(hello.handlers[0].symbol, "hello_hvc");
  for (std::uint64_t i = 0; i < 100; ++i)
    EXPECT_THAT(emulator.call(hello.handlers[0].number, {i, i}), Answers(0, 2 * i));
  EXPECT_THAT(emulator.finish(),
              AllOf(PowersOff(), Module("hello", Loaded()), ProtectedVmsAvailable()));
  EXPECT_EQ(emulator.stage(), Stage::ended);
}

// A call is the one that the command line makes, to the last EL2 instruction.
TEST_P(Emulators, ACallIsWhatTheCommandLineMakes) {
  const auto run = run_emulator({built("hello").string(), "--call", "hello_hvc:0x11,0x22"});
  auto emulator = Emulator::boot({.modules = {built("hello")}});
  const CallResult ours = emulator.call("hello_hvc", {0x11, 0x22});
  const auto& theirs = run.report.at("calls").at(0);
  EXPECT_EQ(ours.el2_instructions, theirs.at("el2_instructions").get<std::uint64_t>());
  EXPECT_GT(ours.el2_instructions, 0U);
  EXPECT_EQ(emulator.finish().exit_code, run.process.exit_code);
}

// Without requests the console says what the command line's run says.
TEST_P(Emulators, ARunWithoutRequestsIsTheCommandLines) {
  const auto run = run_emulator({built("hello").string()});
  const Verdict verdict = pkvmemu::run({.modules = {built("hello")}});
  EXPECT_EQ(split_lines(verdict.console), run.console);
  EXPECT_THAT(run.process.out, HasSubstr(verdict.lines.back()));
}

// An EL2 half alone is called by the name that it was given, and a device that a test puts into the
// machine is what it was when a snapshot was taken.
TEST_P(Emulators, HaveEl2HalvesAndDevices) {
  auto emulator = Emulator::boot({.el2_halves = {{.module = built("needshardware"),
                                                  .init = "hw_init",
                                                  .handlers = {"hw_get=get"},
                                                  .variables = {"limit=9"}}},
                                  .mmio = {"0x10000000:0x1000=ram"}});
  EXPECT_THAT(emulator.call("needshardware/get"), Answers(0, 9));
  constexpr PhysicalAddress device{0x1000'0000};
  emulator.write(device, 1);
  const Snapshot before = emulator.snapshot();
  emulator.write(device, 2);
  EXPECT_THAT(emulator.read(device), Reads(2));
  emulator.restore(before);
  EXPECT_THAT(emulator.read(device), Reads(1));
}

// What no module registered is not called, and says so.
TEST_P(Emulators, ACallOfNobodysHandlerIsNotMade) {
  auto emulator = Emulator::boot({.modules = {built("hello")}});
  EXPECT_THAT(emulator.call("nosuch"), NotMade(HasSubstr("no loaded module registered it")));
  EXPECT_THAT(emulator.call(200), Not(Answers(0)));
  EXPECT_THAT(emulator.hvc(0xc600'000f), IsRefused());
  EXPECT_THAT(emulator.smc(0xc200'0001, {7}), IsRefused());
  const CallResult wide =
      emulator.smc(0xc200'0001, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17});
  EXPECT_EQ(wide.x[8], 8U);
  EXPECT_EQ(wide.x[17], 17U) << "forwarded to EL3 and back";
}

// A restore takes back all that happened since, as often as wanted, also past the end.
TEST_P(Emulators, ARestoreTakesBackWhatHappened) {
  constexpr std::uint64_t add = 0;
  constexpr std::uint64_t get = 1;
  auto emulator = Emulator::boot({.modules = {built("counter")}});
  EXPECT_THAT(emulator.call("counter_hvc", {add, 5}), Answers(0, 5));
  const Snapshot five = emulator.snapshot();
  const std::uint64_t instructions = emulator.instructions();
  const std::string console(emulator.console());
  EXPECT_THAT(emulator.call("counter_hvc", {add, 3}), Answers(0, 8));
  for (int times = 0; times < 3; ++times) {
    emulator.restore(five);
    EXPECT_EQ(emulator.instructions(), instructions);
    EXPECT_EQ(emulator.console(), console);
    EXPECT_THAT(emulator.call("counter_hvc", {get, 0}), Answers(0, 5));
    EXPECT_THAT(emulator.finish(), ProtectedVmsAvailable());
    EXPECT_EQ(emulator.stage(), Stage::ended);
  }
}

// Many moments of one emulator, gone back to in any order; the memory of each goes with its handle.
TEST_P(Emulators, MomentsAreGoneBackToInAnyOrder) {
  auto emulator = Emulator::boot({.modules = {built("counter")}});
  std::vector<Snapshot> moments;
  for (std::uint64_t total = 0; total < 8; ++total) {
    moments.push_back(emulator.snapshot());
    EXPECT_THAT(emulator.call("counter_hvc", {0, 1}), Answers(0, total + 1));
  }
  for (const std::size_t index : {5UL, 0UL, 7UL, 5UL, 2UL}) {
    emulator.restore(moments[index]);
    EXPECT_THAT(emulator.call("counter_hvc", {1, 0}), Answers(0, index));
  }
  moments.erase(moments.begin(), moments.begin() + 6);
  emulator.restore(moments[1]);
  EXPECT_THAT(emulator.call("counter_hvc", {1, 0}), Answers(0, 7));
}

// A call that panics the hypervisor never returns; the machine has ended, and a restore brings it
// back.
TEST_P(Emulators, APanicEndsTheRunAndARestoreUndoesIt) {
  auto emulator = Emulator::boot({.modules = {built("faulty")}});
  const Snapshot before = emulator.snapshot();
  EXPECT_THAT(emulator.call("faulty_hvc"), NeverReturned());
  EXPECT_EQ(emulator.stage(), Stage::ended);
  EXPECT_THAT(emulator.finish(),
              AllOf(HypPanics(), ProtectedVmsUnavailable("hyp panic"), Not(PowersOff())));
  EXPECT_THROW(emulator.call("faulty_hvc"), UsageError);
  emulator.restore(before);
  EXPECT_THAT(emulator.finish(), AllOf(PowersOff(), Not(HypPanics()), ProtectedVmsAvailable()));
}

// Before deprivilege a module loads on request; after, it gets the specified refusal.
TEST_P(Emulators, AModuleLoadsBeforeDeprivilegeAndIsRefusedAfter) {
  auto emulator =
      Emulator::boot({.more_modules = {built("hello")}, .stop_at = Stage::before_deprivilege});
  EXPECT_EQ(emulator.stage(), Stage::before_deprivilege);
  const Snapshot before = emulator.snapshot();
  EXPECT_THAT(emulator.load("hello"), Loaded());
  emulator.advance_to(Stage::after_deprivilege);
  EXPECT_THAT(emulator.call("hello_hvc", {20, 22}), Answers(0, 42));

  emulator.restore(before);
  emulator.advance_to(Stage::after_deprivilege);
  EXPECT_THAT(emulator.load(built("hello")), AllOf(RefusedToLoad(), Not(Loaded())));
  EXPECT_THAT(emulator.call("hello_hvc", {20, 22}), NotMade());
  EXPECT_THAT(emulator.finish(), ProtectedVmsAvailable());
}

// The host reads and writes its own memory, and not what it gave to the hypervisor.
TEST_P(Emulators, TheHostDoesNotReachWhatItGaveAway) {
  auto emulator = Emulator::boot({.modules = {built("memory")}});
  EXPECT_THAT(emulator.write(some_page, 0x1234), IsDone());
  EXPECT_THAT(emulator.read(some_page), Reads(0x1234));
  EXPECT_EQ(emulator.memory(some_page, 2), (std::vector{std::byte{0x34}, std::byte{0x12}}));
  EXPECT_THAT(emulator.call("memory_hvc", {MEMORY_DONATE, some_pfn, 1, 0}), Answers(0, 0));
  EXPECT_THAT(emulator.read(some_page), Aborts());
  EXPECT_THAT(emulator.write(some_page, 1), Aborts());
  EXPECT_THAT(emulator.execute(some_page), Aborts());
  EXPECT_EQ(emulator.memory(some_page, 1).front(), std::byte{0x34});
  EXPECT_THAT(emulator.call("memory_hvc", {MEMORY_RETURN, some_pfn, 1}), Answers(0, 0));
  EXPECT_THAT(emulator.read(some_page), Not(Aborts()));
}

// Guests run to their ends, protected and not, and calls go on behind them.
TEST_P(Emulators, GuestsRunOnRequest) {
  auto emulator = Emulator::boot({.modules = {built("hello")}});
  const GuestResult guest = emulator.run_protected_vm();
  EXPECT_THAT(guest, RanToItsEnd());
  EXPECT_TRUE(guest.is_protected);
  EXPECT_THAT(guest.console, Contains(HasSubstr("pvmfw")));
  EXPECT_THAT(emulator.run_vm("compute"), RanToItsEnd());
  EXPECT_THAT(emulator.run_vm("nosuch"), Not(RanToItsEnd()));
  EXPECT_THAT(emulator.call("hello_hvc", {1, 2}), Answers(0, 3));
}

// A module that does not load is a result, with its status by the name of the error.
TEST_P(Emulators, AFailedLoadIsAResult) {
  auto emulator = Emulator::boot({.modules = {built("initfail"), built("hello")}});
  EXPECT_THAT(emulator.module("initfail"), FailedToLoad(-ENOMEM, HasSubstr("init returned")));
  EXPECT_THAT(emulator.call("hello_hvc"), NotMade());
  EXPECT_THAT(emulator.finish(),
              AllOf(Module("initfail", Not(Loaded())), Module("hello", Not(Loaded())),
                    ProtectedVmsUnavailable(HasSubstr("initfail"))));
}

// Emulators do not know of each other.
TEST_P(Emulators, SeveralLiveAtOnce) {
  auto one = Emulator::boot({.modules = {built("counter")}});
  auto other = Emulator::boot({.modules = {built("counter")}});
  EXPECT_THAT(one.call("counter_hvc", {0, 5}), Answers(0, 5));
  EXPECT_THAT(other.call("counter_hvc", {1, 0}), Answers(0, 0));
  EXPECT_THAT(one.call("counter_hvc", {1, 0}), Answers(0, 5));
}

// What a boot can be told: no driver for IOMMUs, no probe, parameters of modules, a budget.
TEST(Boots, AreConfigured) {
  EXPECT_THAT(pkvmemu::run({.iommu_driver = false}), ProtectedVmsUnavailable(HasSubstr("IOMMU")));
  EXPECT_THAT(pkvmemu::run({}), ProtectedVmsAvailable());
  EXPECT_EQ(pkvmemu::run({.probe_protected_vms = false}).protected_vms,
            Verdict::ProtectedVms::not_verified);
  EXPECT_EQ(pkvmemu::run({.budget = 1000}).end, Verdict::End::budget_spent);
  for (const Generation generation : generations)
    EXPECT_EQ(Emulator::boot({.generation = generation}).generation(), generation);
}

}  // namespace
}  // namespace pkvmemu::test
