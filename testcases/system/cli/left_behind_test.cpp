// SPDX-License-Identifier: GPL-2.0-only
// What the EL1 init of a module leaves in the kernel when it fails: it goes with the module, and
// the console names it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "conformance/every_generation.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class LeftBehind : public GenerationTest {
 protected:
  static Arguments leaving(const std::string& options) {
    return {own("owner"), own("leaver"), "--cmdline", options};
  }
  static bool has_iommu_drivers() { return id() != pkvm::Generation::android14_6_1; }
};
INSTANTIATE_TEST_SUITE_P(Generations, LeftBehind, testing::ValuesIn(pkvm::generations),
                         generation_slug);

// Pending work, notifiers on chains of the kernel and of another module, and an IOMMU driver of a
// module whose init fails are taken back with it, each told with the module's name; what others
// have there stays, and is called.
TEST_P(LeftBehind, GoesWithTheModule) {
  const auto run = run_on_both(leaving("leaver.fails=19"));
  EXPECT_EQ(run.process.exit_code, 10) << run.process.out << run.process.err;
  const auto told = lines_with(run.console, "when module leaver failed: taken off");
  EXPECT_THAT(told, SizeIs(4));
  EXPECT_THAT(lines_with(told, "workqueue: work run_late"), SizeIs(2));
  EXPECT_THAT(lines_with(told, "notifier told"), SizeIs(2));
  EXPECT_THAT(lines_with(run.console, "iommu: the driver of module leaver was still registered"),
              SizeIs(has_iommu_drivers() ? 1 : 0));
  for (const char* line : {"leaver: work runs", "leaver: told 3", "leaver: driver starts"})
    EXPECT_THAT(run.console, Not(Contains(line)));
  EXPECT_THAT(run.console, Contains("owner: told 3"));
  EXPECT_THAT(run.console, Contains("owner: answer 0x1"));
  EXPECT_TRUE(run.report.at("host_panic").is_null());
}

// An init that takes it back itself leaves nothing to tell.
TEST_P(LeftBehind, NothingIsToldOfWhoTidiesUp) {
  const auto run = run_on_both(leaving("leaver.fails=19 leaver.tidy=1"));
  EXPECT_EQ(run.process.exit_code, 10) << run.process.out << run.process.err;
  EXPECT_THAT(lines_with(run.console, "when module leaver failed"), IsEmpty());
  EXPECT_THAT(lines_with(run.console, "when the module failed"), IsEmpty());
  EXPECT_THAT(run.console, Contains("owner: told 3"));
}

// The good twin: what a module that loads leaves there stays, and is called.
TEST_P(LeftBehind, WhatALoadedModuleLeavesIsCalled) {
  const auto run = run_on_both(leaving("leaver.fails=0"));
  EXPECT_EQ(lines_with(run.console, "leaver: work runs").size(), 2U);
  EXPECT_THAT(run.console, Contains("leaver: told 3"));
  EXPECT_EQ(lines_with(run.console, "leaver: driver starts").size(), has_iommu_drivers() ? 1U : 0U);
  EXPECT_THAT(lines_with(run.console, "failed: taken"), IsEmpty());
}

}  // namespace
}  // namespace pkvmemu::test
