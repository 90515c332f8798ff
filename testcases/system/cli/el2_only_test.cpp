// SPDX-License-Identifier: GPL-2.0-only
// A module's EL2 half alone, on every generation and on QEMU: what is set and registered for it,
// and what cannot be.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "pkvm/generation.h"
#include "support/file.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class El2Only : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static std::string own(std::string_view name) {
    return module(fmt::format("{}/{}", GetParam().kmi, name));
  }
  /// needshardware with more arguments.
  static Arguments half(const Arguments& more) {
    Arguments arguments = {"--no-pvm", "--el2-only", own("needshardware"), "--init", "hw_init"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  static std::vector<std::string> result(const EmulatorRun& run, std::size_t call = 0) {
    return run.report.at("calls").at(call).at("result").get<std::vector<std::string>>();
  }
  static std::string reason(const EmulatorRun& run) {
    return run.report.at("modules").at(0).at("reason");
  }
  std::string blob() const {
    const std::string path = (scratch_.path() / "blob.bin").string();
    EXPECT_TRUE(write_file(path, std::string_view("\x11\x22\x33\x44\x55\x66\x77\x08", 8)));
    return path;
  }

 private:
  ScratchDirectory scratch_;
};

// A module whose EL1 half does not link loads all the same: its init finds the variable that was
// set, its handlers are called by their names, and the verdict says what was not run.
TEST_P(El2Only, AHalfThatNeedsHardwareLoads) {
  const EmulatorRun whole = run_emulator({"--no-pvm", own("needshardware")});
  EXPECT_EQ(whole.process.exit_code, 10);
  EXPECT_THAT(reason(whole), HasSubstr("unknown symbols vendor_"));

  const EmulatorRun run =
      run_emulator(half({"--set", "limit=7", "--set", "blob=0x50000000", "--hvc", "hw_get=read_all",
                         "--hvc", "__kvm_nvhe_hw_take", "--call", "read_all", "--call",
                         "needshardware/hw_take", "--call", "hw_get"}));
  const auto& own_report = run.report.at("modules").at(0);
  EXPECT_EQ(own_report.at("loaded"), true);
  EXPECT_EQ(own_report.at("el2_only"), true);
  EXPECT_EQ(own_report.at("handlers").at(0).at("symbol"), "read_all");
  EXPECT_EQ(own_report.at("handlers").at(0).at("id"), 128);
  EXPECT_EQ(own_report.at("handlers").at(1).at("symbol"), "hw_take");
  EXPECT_EQ(result(run).at(1), "0x7");
  EXPECT_EQ(run.report.at("calls").at(2).at("state"), "not-made") << "it is called read_all";
  EXPECT_THAT(run.process.out, HasSubstr("module needshardware: loaded (its EL2 half alone: EL1's "
                                         "was not run), init 0, hvc 128, 129"));
}

// Variables take numbers of their own size, negative ones too, and bytes; what is not set stays.
TEST_P(El2Only, VariablesAreSet) {
  const EmulatorRun run = run_emulator(
      half({"--set", "limit=-1", "--set", "count=0xfffe", "--set", "blob=0x1122334455667788",
            "--set", "table=hex:0102", "--hvc", "hw_get", "--call", "hw_get"}));
  EXPECT_EQ(run.process.exit_code, 0);
  EXPECT_THAT(result(run), ElementsAre("0x0", "0xffffffff", "0x1", "0xfffe", "0x1122334455667788",
                                       "0xa5a4a3a20201", "0x0", "0x0"));
}

// The bad twin: the same half without the value that its init looks for is refused by it.
TEST_P(El2Only, AnInitThatRefusesIsTold) {
  const EmulatorRun run = run_emulator(half({"--hvc", "hw_get", "--call", "hw_get"}));
  EXPECT_EQ(run.process.exit_code, 10);
  EXPECT_EQ(reason(run), "init returned -22 (EINVAL)");
  EXPECT_EQ(run.report.at("calls").at(0).at("state"), "not-made");
}

struct Wrong {
  Arguments more;
  std::string words;
};

// What the half does not have, or has elsewhere, refuses the load, and nothing of it is loaded.
TEST_P(El2Only, WrongNamesAreRefused) {
  const std::vector<Wrong> cases = {
      {{"--el2-only", own("needshardware"), "--init", "nosuch"}, "has no symbol nosuch"},
      {{"--el2-only", own("needshardware"), "--init", "limit"},
       "limit lies in .hyp.bss, not among"},
      {{"--el2-only", own("needshardware"), "--init", "init_module"},
       "init_module lies in .init.text"},
      {half({"--hvc", "flavour"}), "flavour lies in .hyp.data, not among EL2's functions"},
      {{"--el2-only", own("needshardware"), "--init", "hw_int"},
       "has no symbol hw_int; it has hw_init"},
      {half({"--hvc", "nosuch"}), "has no symbol nosuch"},
      {half({"--hvc", "hw_gett"}), "has no symbol hw_gett; it has hw_get"},
      {half({"--set", "limits=1"}), "has no symbol limits; it has limit"},
      {half({"--set", "nosuch=1"}), "has no symbol nosuch"},
      {half({"--set", "hw_get=1"}), "hw_get lies in .hyp.text, not among EL2's variables"},
      {half({"--set", "__this_module=1"}),
       "__this_module lies in .gnu.linkonce.this_module, not among EL2's variables"},
      {half({"--set", "flavour=256"}), "too large for flavour of 1 bytes"},
      {half({"--set", "flavour=-129"}), "too large for flavour of 1 bytes"},
      {half({"--set", "table=1"}), "table has 6 bytes: give them as hex:BYTES"},
      {half({"--set", "table=hex:01020304050607"}), "too large for table of 6 bytes"},
      {{"--el2-only", module("works"), "--init", "nosuch"}, "it has none"},
  };
  for (const Wrong& one : cases) {
    if (one.more.at(1) == module("works") && GetParam().id != pkvm::Generation::android15_6_6)
      continue;  // built for one generation
    Arguments arguments = one.more;
    arguments.insert(arguments.begin(), "--no-pvm");
    const EmulatorRun run = run_emulator(arguments);
    EXPECT_EQ(run.process.exit_code, 10) << one.words;
    EXPECT_THAT(reason(run), HasSubstr(one.words));
    EXPECT_TRUE(run.report.at("modules").at(0).at("hyp_va").is_null()) << one.words;
  }
}

// What cannot be meant is a mistake of the command line.
TEST_P(El2Only, MistakesAreTold) {
  const std::string file = own("needshardware");
  const std::vector<Wrong> cases = {
      {{"--el2-only", file}, "name its EL2 init function"},
      {{"--init", "hw_init"}, "expected behind an --el2-only MODULE"},
      {{"--set", "limit=1"}, "expected behind an --el2-only MODULE"},
      {{"--hvc", "hw_get"}, "expected behind an --el2-only MODULE, or a number for x0"},
      {half({"--init", "hw_get"}), "has its init already, hw_init"},
      {half({"--set", "limit"}), "is no value"},
      {half({"--set", "limit=many"}), "is no value"},
      {half({"--set", "table=hex:012"}), "two digits each"},
      {half({"--set", "1x=1"}), "is no symbol"},
      {half({"--hvc", "hw_get=a b"}), "is no name for a handler"},
  };
  for (const Wrong& one : cases) {
    const EmulatorRun run = run_emulator(one.more);
    EXPECT_EQ(run.process.exit_code, 2) << one.words;
    EXPECT_THAT(run.process.err, HasSubstr(one.words));
  }
}

// --hvc with a number still is an HVC of its own, also behind --el2-only.
TEST_P(El2Only, ANumberIsAnHvc) {
  const EmulatorRun run =
      run_emulator(half({"--set", "limit=1", "--hvc", "hw_get", "--hvc", "0xc600000f"}));
  ASSERT_EQ(run.report.at("calls").size(), 1U);
  EXPECT_EQ(run.report.at("calls").at(0).at("state"), "refused");
}

// A file lies in memory before the start, the kernel keeps off it, and EL2 can take it; QEMU's run
// prints the same, values and all.
TEST_P(El2Only, QemuSaysTheSame) {
  const Arguments arguments =
      half({"--set", "limit=1", "--set", "blob=0x50000000", "--mem", "0x50000000=" + blob(),
            "--hvc", "hw_get", "--hvc", "hw_take=take", "--touch", "r:0x50000000", "--call", "take",
            "--call", "hw_get", "--touch", "r:0x50000000"});
  const EmulatorRun run = run_emulator(arguments);
  EXPECT_THAT(run.console, Contains("touch r:0x50000000: 0x877665544332211"));
  EXPECT_EQ(result(run, 0).at(2), "0x877665544332211");
  EXPECT_EQ(run.report.at("touches").at(1).at("state"), "aborted");
  EXPECT_EQ(run_qemu(arguments), run.console);
}

// Where no file can lie it is refused before the start.
TEST_P(El2Only, MemoryHasToBeFree) {
  const std::string file = blob();
  for (const auto& [address, words] :
       {std::pair<std::string, std::string>{"0x40200000", "overlaps"},
        {"0x10000000", "do not fit"},
        {"0x7ffffffc", "do not fit"},
        {"0x48000000", "overlaps"}}) {
    const EmulatorRun run = run_emulator({"--mem", address + "=" + file});
    EXPECT_EQ(run.process.exit_code, 3) << address;
    EXPECT_THAT(run.process.err, HasSubstr(words)) << address;
  }
  for (const char* text : {"0x50000000", "0x50000000=", "x=file"})
    EXPECT_EQ(run_emulator({"--mem", text}).process.exit_code, 2) << text;
}

INSTANTIATE_TEST_SUITE_P(Each, El2Only, testing::ValuesIn(pkvm::generations),
                         [](const auto& one) { return slug_of(one.param); });

}  // namespace
}  // namespace pkvmemu::test
