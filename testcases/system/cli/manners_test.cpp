// SPDX-License-Identifier: GPL-2.0-only
// Manners on the command line: quiet and verbose, colours, and an end at any time that leaves
// nothing behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>

#include "harness/emulator.h"

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto program = PKVMEMU_BUILD_DIR "/bin/pkvm-emu";
constexpr auto colour = "\x1b[";

ProcessResult pkvm_emu(const std::string& arguments) {
  return run_process({"sh", "-c", std::string("exec '") + program + "' " + arguments});
}

// -q leaves nothing of a good run, before and after the sub-command.
TEST(Quiet, AGoodRunIsSilent) {
  for (const std::string& arguments : {"-q run " + module("hello"), "run -q " + module("hello")}) {
    const auto run = pkvm_emu(arguments);
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_EQ(run.out + run.err, "") << arguments;
  }
}

// -q leaves what went wrong, and the exit code.
TEST(Quiet, WhatWentWrongStays) {
  const auto run = pkvm_emu("run --quiet " + module("initfail"));
  EXPECT_EQ(run.exit_code, 10);
  EXPECT_EQ(
      run.out,
      "module initfail: NOT loaded: init returned -12 (ENOMEM)\n"
      "protected VMs: NOT available: module initfail: init returned -12 (ENOMEM); pvmfw wiped "
      "before deprivilege; create 0, firmware info 0 (1048576 bytes), set firmware 0, run -14 "
      "(EFAULT): no pvmfw reported in\n");
  EXPECT_THAT(run.err, IsEmpty());
}

// The sub-commands that make something are silent about it; inspect about a module that is good.
TEST(Quiet, OtherCommands) {
  const ScratchDirectory scratch;
  const std::string folder = scratch.path();
  for (const std::string& arguments :
       {"new -q mine '" + folder + "/mine'",
        "build -q '" + folder + "/mine' -o '" + folder + "/m.ko'",
        "inspect -q '" + folder + "/m.ko'",
        "run -q '" + folder + "/m.ko' --export-qemu '" + folder + "/out'"}) {
    const auto result = pkvm_emu(arguments);
    EXPECT_EQ(result.exit_code, 0) << arguments;
    EXPECT_EQ(result.out + result.err, "") << arguments;
  }
  EXPECT_TRUE(fs::exists(scratch.path() / "out/run.sh"));
  ASSERT_EQ(run_process({"llvm-objcopy-19", "-R", ".hyp.reloc", folder + "/m.ko"}).exit_code, 0);
  const auto bad = pkvm_emu("inspect -q '" + folder + "/m.ko'");
  EXPECT_EQ(bad.exit_code, 10);
  EXPECT_THAT(bad.out, AllOf(HasSubstr("module mine: will not load: it has .hyp.text"),
                             Not(HasSubstr("Sections"))));
}

// -v tells what happens, on stderr: a run its command line, a build each of its commands.
TEST(Verbose, TellsOnStderr) {
  const auto run = pkvm_emu("run -v " + module("hello"));
  EXPECT_THAT(run.err, AllOf(HasSubstr("kernel command line: kvm-arm.mode=protected"),
                             HasSubstr(" instructions\n")));
  const auto early = pkvm_emu("-v run " + module("hello"));
  EXPECT_EQ(early.err, run.err);
  const ScratchDirectory scratch;
  const std::string folder = scratch.path();
  ASSERT_EQ(pkvm_emu("new mine '" + folder + "/mine'").exit_code, 0);
  const auto built = pkvm_emu("build -v '" + folder + "/mine' -o '" + folder + "/m.ko'");
  EXPECT_EQ(built.exit_code, 0);
  EXPECT_THAT(built.err, AllOf(HasSubstr("info: clang-19 "), HasSubstr("info: ld.lld-19 -r"),
                               HasSubstr("info: llvm-objcopy-19 ")));
}

// Both at once is a mistake, wherever they stand.
TEST(Volume, QuietAndVerboseContradict) {
  for (const std::string arguments : {"run -q -v", "-q run -v", "-v inspect --quiet m.ko"}) {
    const auto result = pkvm_emu(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments;
    EXPECT_EQ(result.err, "pkvm-emu: -q and -v contradict each other: give one of them\n");
  }
}

/// What a terminal would show; `environment` is set for the program.
std::string on_terminal(const std::string& environment, const std::string& arguments) {
  return run_process({"script", "-qec",
                      "env -u NO_COLOR " + environment + " '" + program + "' " + arguments,
                      "/dev/null"})
      .out;
}

// Colours are for terminals, unless NO_COLOR says something; set to nothing it says nothing.
TEST(Colours, AreForTerminals) {
  if (run_process({"which", "script"}).exit_code != 0) GTEST_SKIP() << "script is not installed";
  for (const std::string& arguments : {"run " + module("hello"), "inspect " + module("hello")}) {
    EXPECT_THAT(pkvm_emu(arguments).out, Not(HasSubstr(colour))) << arguments;
    EXPECT_THAT(on_terminal("", arguments), HasSubstr(colour)) << arguments;
    EXPECT_THAT(on_terminal("NO_COLOR=", arguments), HasSubstr(colour)) << arguments;
    EXPECT_THAT(on_terminal("NO_COLOR=1", arguments), Not(HasSubstr(colour))) << arguments;
  }
}

struct Ending {
  std::string signal;
  friend void PrintTo(const Ending& ending, std::ostream* out) { *out << ending.signal; }
};
class EndedBuild : public testing::TestWithParam<Ending> {};
INSTANTIATE_TEST_SUITE_P(Signals, EndedBuild,
                         testing::Values(Ending{"INT"}, Ending{"TERM"}, Ending{"HUP"}),
                         [](const auto& each) { return each.param.signal; });

// A signal that only pkvm-emu gets ends the compiler, too; no module, no temporary folder, and no
// process is left.
TEST_P(EndedBuild, LeavesNothing) {
  const ScratchDirectory scratch;
  const std::string folder = scratch.path();
  ASSERT_EQ(pkvm_emu("new mine '" + folder + "/mine'").exit_code, 0);
  fs::create_directories(scratch.path() / "bin");
  fs::create_directories(scratch.path() / "tmp");
  std::ofstream(scratch.path() / "bin/clang-19")
      << "#!/bin/sh\necho $$ > \"" << folder << "/compiler\"\nexec sleep 30\n";
  fs::permissions(scratch.path() / "bin/clang-19", fs::perms::owner_all);
  const auto result = run_process(
      {"sh", "-c",
       "cd '" + folder + "' && PATH=\"$PWD/bin:$PATH\" TMPDIR=\"$PWD/tmp\" env --default-signal=" +
           GetParam().signal + " '" + program + "' build mine & until [ -s '" + folder +
           "/compiler' ]; do sleep 0.05; done; kill -" + GetParam().signal + " $!; wait $!"});
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_EQ(result.err, "pkvm-emu: interrupted: nothing was written\n");
  EXPECT_FALSE(fs::exists(scratch.path() / "mine.ko"));
  EXPECT_TRUE(fs::is_empty(scratch.path() / "tmp"));
  std::string compiler;
  std::ifstream(scratch.path() / "compiler") >> compiler;
  EXPECT_FALSE(fs::exists("/proc/" + compiler)) << "the compiler still runs";
}

}  // namespace
}  // namespace pkvmemu::test
