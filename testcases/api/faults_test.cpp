// SPDX-License-Identifier: GPL-2.0-only
// Faults that a test asks for while the machine runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "generations.h"
#include "modules/memory/operations.h"
#include "pkvmemu/gmock.h"

namespace pkvmemu::test {
namespace {

using testing::AllOf;
using testing::Not;

class Faults : public OnEveryGeneration {};
INSTANTIATE_TEST_SUITE_P(Generations, Faults, every_generation(), generation_name);

// A donation that fails in the middle of a load takes the module and protected VMs away; one whose
// turn never comes changes nothing, and is told.
TEST_P(Faults, AFailingStepOfALoadTakesProtectedVmsAway) {
  const auto verdict = [](const char* fault) {
    auto emulator = Emulator::boot({.modules = {built("hello")}, .stop_at = Stage::before_modules});
    emulator.fail(fault);
    return emulator.finish();
  };
  EXPECT_THAT(verdict("hyp.donate"), AllOf(Failed("hyp.donate"), Module("hello", Not(Loaded())),
                                           ProtectedVmsUnavailable()));
  EXPECT_THAT(verdict("hyp.donate:nth=1000"),
              AllOf(Not(Failed("hyp.donate")), Module("hello", Loaded()), ProtectedVmsAvailable()));
}

// Faults given at the start are those of the command line.
TEST_P(Faults, FromTheStartOn) {
  const auto emulator =
      Emulator::boot({.modules = {built("hello")}, .faults = {"load.el1_init:return=EPERM"}});
  EXPECT_THAT(emulator.module("hello"), FailedToLoad(-EPERM));
}

// Occurrences are counted from the moment at which a fault is asked for.
TEST_P(Faults, CountFromNowOn) {
  constexpr std::uint64_t pfn = 0x50000;
  auto emulator = Emulator::boot({.modules = {built("memory")}});
  const auto donate = [&](std::uint64_t page) {
    return emulator.call("memory_hvc", {MEMORY_DONATE, page, 1, 0});
  };
  const std::uint64_t before = emulator.reached("hyp.donate");
  EXPECT_THAT(donate(pfn), Answers(0, 0));
  EXPECT_EQ(emulator.reached("hyp.donate"), before + 1);
  emulator.fail("hyp.donate:nth=2:return=EBUSY");
  EXPECT_THAT(donate(pfn + 1), Answers(0, 0));
  EXPECT_THAT(donate(pfn + 2), Answers(0, -EBUSY));
  EXPECT_THAT(donate(pfn + 2), Answers(0, 0));
}

// A restore brings back the faults of then: one that is spent is armed again, one that came later
// is gone.
TEST_P(Faults, GoWithTheMoment) {
  constexpr std::uint64_t pfn = 0x50000;
  auto emulator = Emulator::boot({.modules = {built("memory")}});
  const auto donate = [&] { return emulator.call("memory_hvc", {MEMORY_DONATE, pfn, 1, 0}); };
  const Snapshot healthy = emulator.snapshot();
  emulator.fail("hyp.donate");
  const Snapshot armed = emulator.snapshot();
  EXPECT_THAT(donate(), Answers(0, -EPERM));
  EXPECT_THAT(donate(), Answers(0, 0));
  emulator.restore(armed);
  EXPECT_THAT(donate(), Answers(0, -EPERM));
  emulator.restore(healthy);
  EXPECT_THAT(donate(), Answers(0, 0));
  EXPECT_EQ(emulator.finish().fault("hyp.donate"), nullptr);
}

// Before the first module is looked up, none of a load's steps was reached: every one can be failed
// from there, and protected VMs are available if and only if the module loads all the same.
TEST_P(Faults, EveryStepOfALoadCanBeFailed) {
  auto emulator = Emulator::boot({.modules = {built("hello")}, .stop_at = Stage::before_modules});
  const Snapshot start = emulator.snapshot();
  std::size_t failed = 0;
  for (const FaultSite& site : emulator.sites()) {
    if (!site.name.starts_with("load.")) continue;
    emulator.restore(start);
    EXPECT_EQ(emulator.reached(site.name), 0U) << site;
    emulator.fail(site.name);
    const Verdict verdict = emulator.finish();
    const bool loaded = testing::Value(verdict, Module("hello", Loaded()));
    EXPECT_EQ(testing::Value(verdict, ProtectedVmsAvailable()), loaded) << site << verdict;
    if (!loaded) EXPECT_THAT(verdict, Failed(site.name));
    failed += loaded ? 0 : 1;
  }
  EXPECT_GE(failed, 8U);
}

// Watching all sites changes nothing of a run.
TEST_P(Faults, ARunWithWatchedSitesIsTheSameRun) {
  const auto plain = run_emulator({built("hello").string()});
  EXPECT_EQ(split_lines(pkvmemu::run({.modules = {built("hello")}}).console), plain.console);
}

}  // namespace
}  // namespace pkvmemu::test
