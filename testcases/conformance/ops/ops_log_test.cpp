// SPDX-License-Identifier: GPL-2.0-only
// --log-ops on a whole run: what a module's author sees, and what the log may not change.
#include <gmock/gmock.h>

#include "conformance/ops/ops_fixture.h"
#include "harness/generation_printer.h"

namespace pkvmemu::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class OpsLogRun : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static std::string own(std::string_view name) {
    return module(fmt::format("{}/{}", GetParam().kmi, name));
  }
};
INSTANTIATE_TEST_SUITE_P(Generations, OpsLogRun, testing::ValuesIn(pkvm::generations),
                         generation_name);

// Each op by name, with decoded arguments, its answer and the function that called it, as it
// happens and in the report.
TEST_P(OpsLogRun, ShowsEachCall) {
  const auto run = run_emulator({own("memory"), "--log-ops", "--call", "memory_hvc:0,0x50000",
                                 "--call", "memory_hvc:0,0x50000", "--call", "memory_hvc:12"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(run.process.out, HasSubstr("op host_share_hyp(pfn=0x50000) = 0  memory_share+0x"));
  EXPECT_THAT(run.process.out, HasSubstr("op host_share_hyp(pfn=0x50000) = -1 (EPERM)"));
  EXPECT_THAT(run.process.out, HasSubstr("op puts(s=\"memory: text\")  memory_puts+0x"));
  const auto& ops = run.report.at("ops");
  ASSERT_EQ(ops.size(), 3U);
  EXPECT_EQ(ops.at(1).at("name"), "host_share_hyp");
  EXPECT_THAT(ops.at(1).at("args").get<std::vector<std::string>>(), ElementsAre("pfn=0x50000"));
  EXPECT_EQ(ops.at(1).at("result"), "-1 (EPERM)");
  EXPECT_THAT(ops.at(1).at("where").get<std::string>(), HasSubstr("[memory]"));
}

// Without the option nothing is logged, and the guest's console is the same either way.
TEST_P(OpsLogRun, ChangesNothingTheGuestSays) {
  const Arguments arguments{own("memory"),   own("serial"), "--call",
                            "memory_hvc:12", "--call",      "memory_hvc:2,0x50000,2,0"};
  const auto plain = run_emulator(arguments);
  Arguments with_log = arguments;
  with_log.emplace_back("--log-ops");
  const auto logged = run_emulator(with_log);
  EXPECT_EQ(plain.report.at("ops").size(), 0U);
  EXPECT_THAT(plain.process.out, Not(HasSubstr("op puts")));
  EXPECT_EQ(logged.console, plain.console);
  EXPECT_EQ(logged.report.at("calls").at(1).at("result"),
            plain.report.at("calls").at(1).at("result"));
}

// An op that does not come back is told at the end.
TEST_P(OpsLogRun, NamesAnOpThatNeverReturned) {
  if (GetParam().id == pkvm::Generation::android14_6_1) GTEST_SKIP() << "6.1 has no heap";
  const auto run = run_emulator({own("system"), "--log-ops", "--call", "system_hvc:1,0x1234000"});
  EXPECT_EQ(run.process.exit_code, 12);
  EXPECT_THAT(run.process.out, HasSubstr("op hyp_free(addr=0x1234000): never returned"));
  EXPECT_TRUE(run.report.at("ops").at(0).at("result").is_null());
}

// QEMU has nothing to report with: refused rather than silent.
TEST(OpsLogExport, IsRefused) {
  const ScratchDirectory scratch;
  const auto run = run_emulator(
      {module("hello"), "--log-ops", "--export-qemu", (scratch.path() / "out").string()});
  EXPECT_EQ(run.process.exit_code, 2);
  EXPECT_THAT(run.process.err, HasSubstr("--log-ops"));
}

}  // namespace
}  // namespace pkvmemu::test
