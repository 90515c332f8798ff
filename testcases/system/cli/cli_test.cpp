// SPDX-License-Identifier: GPL-2.0-only
// The command line as a user meets it: help, advice on mistakes, exit codes, files, pipes, Ctrl-C.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/emulator.h"
#include "image/cpio_writer.h"
#include "observe/pvmfw.h"

namespace pkvmemu::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;

const std::string binary = PKVMEMU_BUILD_DIR "/bin/pkvm-emu";

ProcessResult pkvm_emu(Arguments arguments) {
  arguments.insert(arguments.begin(), binary);
  return run_process(arguments);
}

/// A line for a POSIX shell, with $EMU, $HELLO and so on set.
ProcessResult shell(const std::string& line) {
  return run_process({"sh", "-c",
                      "EMU='" + binary + "'; HELLO='" + module("hello") + "'; COUNTER='" +
                          module("counter") + "'; " + line});
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void put(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

/// hello.ko as another kernel's build would mark it.
std::string hello_with_release(const std::string& release) {
  std::string content = content_of(module("hello"));
  const std::string own = "vermagic=6.6.77";
  const auto at = content.find(own);
  EXPECT_NE(at, std::string::npos);
  EXPECT_EQ(own.size(), std::string("vermagic=" + release).size());
  return content.replace(at, own.size(), "vermagic=" + release);
}

// --help of the program and of `run` succeed, and `run` explains itself with examples.
TEST(Cli, HelpIsHelpful) {
  const auto top = pkvm_emu({"--help"});
  EXPECT_EQ(top.exit_code, 0);
  EXPECT_THAT(top.out, HasSubstr("run"));
  const auto run = pkvm_emu({"run", "--help"});
  EXPECT_EQ(run.exit_code, 0);
  for (const char* part : {"--call", "--hvc", "--late", "--cmdline", "--initramfs", "--no-iommu",
                           "--json", "--budget", "--export-qemu", "--firmware", "Exit codes:",
                           "Examples:", "pkvm-emu run hello.ko --call hello/hello_hvc:0x11,0x22"})
    EXPECT_THAT(run.out, HasSubstr(part));
}

// --version names the program and a version.
TEST(Cli, Version) {
  const auto result = pkvm_emu({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, StartsWith("pkvm-emu 0."));
}

struct Mistake {
  std::string sentence;
  Arguments arguments;
  int exit_code;
  std::string advice;

  friend void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.sentence; }
};

class Mistakes : public testing::TestWithParam<Mistake> {};

INSTANTIATE_TEST_SUITE_P(
    Cli, Mistakes,
    testing::Values(
        Mistake{"NoSubCommand", {}, 2, "--help"},
        Mistake{"UnknownSubCommand", {"frobnicate"}, 2, "unknown sub-command 'frobnicate'"},
        Mistake{"UnknownOptionAlone", {"--hlep"}, 2, "unknown option '--hlep'"},
        Mistake{"UnknownOption", {"run", "--frobnicate"}, 2, "--frobnicate"},
        Mistake{"MissingValue", {"run", "--json"}, 2, "--json"},
        Mistake{"BadArgument",
                {"run", module("hello"), "--call", "hello_hvc:1,two"},
                2,
                "--call hello_hvc:1,two: argument 2 is 'two', expected a 64-bit number"},
        Mistake{"TooManyArguments",
                {"run", module("hello"), "--call", "hello_hvc:1,2,3,4,5,6,7,8"},
                2,
                "8 arguments, expected at most 7"},
        Mistake{"StaticId", {"run", module("hello"), "--call", "15"}, 2, "expected 128 to 65535"},
        Mistake{"BadX0", {"run", "--hvc", "hello"}, 2, "a number for x0"},
        Mistake{"BadBudget", {"run", module("hello"), "--budget", "lots"}, 2, "--budget lots"},
        Mistake{"SameModuleTwice",
                {"run", module("hello"), module("hello")},
                2,
                "module hello is given twice"},
        Mistake{"SameModuleLate",
                {"run", module("hello"), "--late", module("hello")},
                2,
                "module hello is given twice"},
        Mistake{"MissingFile", {"run", "nosuch.ko"}, 3, "nosuch.ko: cannot open: No such file"},
        Mistake{"Directory", {"run", "/"}, 3, "is a directory"},
        Mistake{"NotElf", {"run", "/etc/passwd"}, 3, "/etc/passwd: not a kernel module"},
        Mistake{"NotAArch64", {"run", "/bin/sh"}, 3, "/bin/sh: not a kernel module for AArch64"},
        Mistake{"MissingInitramfs", {"run", "--initramfs", "nosuch"}, 3, "nosuch: cannot open"},
        Mistake{"NotAnInitramfs",
                {"run", "--initramfs", "/etc/passwd"},
                3,
                "/etc/passwd: not a newc cpio archive"},
        Mistake{"NotAFirmware", {"run", "--firmware", "/etc/passwd"}, 3, "Image"},
        Mistake{"ExportIntoAFile",
                {"run", module("hello"), "--export-qemu", "/dev/null/out"},
                3,
                "/dev/null/out: cannot create"}),
    [](const auto& instance) { return instance.param.sentence; });

// A mistake ends with its exit code, one sentence on stderr, and nothing on stdout.
TEST_P(Mistakes, AreExplained) {
  const auto result = pkvm_emu(GetParam().arguments);
  EXPECT_EQ(result.exit_code, GetParam().exit_code) << result.err;
  EXPECT_THAT(result.err, AllOf(StartsWith("pkvm-emu: "), HasSubstr(GetParam().advice)));
  EXPECT_THAT(result.out, IsEmpty());
}

// Modules of two generations are refused together, and one of no known generation by itself.
TEST(Cli, GenerationsAreNotMixed) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() / "other.ko";
  put(path, hello_with_release("6.1.77"));
  const auto mixed = pkvm_emu({"run", module("counter"), path});
  EXPECT_EQ(mixed.exit_code, 3);
  EXPECT_THAT(mixed.err, AllOf(HasSubstr("other.ko: built for android14-6.1"),
                               HasSubstr("counter.ko for android15-6.6")));
  EXPECT_EQ(pkvm_emu({"run", module("counter"), "--late", path}).exit_code, 3);

  put(path, hello_with_release("5.9.77"));
  EXPECT_THAT(pkvm_emu({"run", path}).err, HasSubstr("of no known kernel generation"));
}

// The last lines of a good run are the verdict.
TEST(Cli, AGoodRunEndsWithTheVerdict) {
  const auto result = pkvm_emu({"run", module("hello"), "--call", "hello/hello_hvc:0x11,0x22"});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  const auto lines = split_lines(result.out);
  ASSERT_GE(lines.size(), 3U);
  EXPECT_THAT(lines[lines.size() - 3],
              StartsWith("call hello/hello_hvc (hvc 128) (0x11, 0x22): x0 0, x1 0x33,"));
  EXPECT_EQ(lines[lines.size() - 2], "module hello: loaded, init 0, hvc 128");
  EXPECT_EQ(lines.back(),
            "protected VMs: available (create 0, firmware info 0 (1048576 bytes), set firmware 0, "
            "run 0: pvmfw reported in)");
  EXPECT_THAT(result.err, IsEmpty());
  EXPECT_THAT(result.out, Not(HasSubstr("\x1b["))) << "colour without a terminal";
}

// Exit code 10: a load failed, and its call is reported as not made.
TEST(Cli, AFailedLoadIsTen) {
  const auto run = run_emulator({module("initfail"), "--call", "initfail/nothing"});
  EXPECT_EQ(run.process.exit_code, 10);
  const auto lines = split_lines(run.process.out);
  EXPECT_THAT(lines, Contains("module initfail: NOT loaded: init returned -12 (ENOMEM)"));
  EXPECT_EQ(lines.back(),
            "protected VMs: NOT available: module initfail: init returned -12 (ENOMEM); pvmfw "
            "wiped before deprivilege; create 0, firmware info 0 (1048576 bytes), set firmware 0, "
            "run -14 (EFAULT): no pvmfw reported in");
  EXPECT_EQ(run.report.at("calls").at(0).at("state"), "not-made");
  EXPECT_TRUE(run.report.at("calls").at(0).at("result").is_null());
}

// Exit code 11: a call answered x0 != 0, or could not be made.
TEST(Cli, AFailedCallIsEleven) {
  EXPECT_EQ(pkvm_emu({"run", module("hello"), "--call", "200"}).exit_code, 11);
  EXPECT_EQ(pkvm_emu({"run", module("hello"), "--call", "nosuch"}).exit_code, 11);
}

// Good answers: a refused late load and a refused forged call.
TEST(Cli, SpecifiedRefusalsAreGood) {
  const auto result =
      pkvm_emu({"run", module("hello"), "--late", module("counter"), "--hvc", "0xc600000f:1,2"});
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_THAT(result.out, HasSubstr("module counter: late load refused as specified: -95"));
  EXPECT_THAT(result.out, HasSubstr("call 0xc600000f (0x1, 0x2): refused, x0 -1"));
}

// Exit code 14: the budget is spent; a line says how to raise it.
TEST(Cli, ASpentBudgetIsFourteen) {
  const auto result = pkvm_emu({"run", module("hello"), "--budget", "1000"});
  EXPECT_EQ(result.exit_code, 14) << result.out;
  EXPECT_THAT(result.out, HasSubstr("raise it with --budget"));
}

// Every key that docs/json.md promises is there, with its form.
TEST(Cli, JsonHasThePromisedKeys) {
  const auto run = run_emulator({module("hello"), "--call", "hello_hvc:1,2"});
  ASSERT_FALSE(run.report.is_null()) << run.process.err;
  std::set<std::string> keys;
  for (const auto& item : run.report.items())
    keys.insert(item.key());
  EXPECT_THAT(keys, IsSupersetOf({"schema", "modules", "calls", "deprivileged", "protected_vms",
                                  "exit", "instructions", "console"}));
  EXPECT_EQ(run.report.at("schema"), 1);
  EXPECT_TRUE(run.report.at("instructions").is_number_unsigned());
  const auto& hello = run.report.at("modules").at(0);
  EXPECT_EQ(hello.at("file"), module("hello"));
  EXPECT_EQ(hello.at("generation"), "android15-6.6");
  EXPECT_THAT(hello.at("hyp_va").get<std::string>(), StartsWith("0x"));
  const auto& call = run.report.at("calls").at(0);
  EXPECT_EQ(call.at("result").size(), 8U);
  EXPECT_EQ(call.at("result").at(0), "0x0");
  EXPECT_EQ(call.at("result").at(1), "0x3");
  EXPECT_GT(call.at("el2_instructions").get<unsigned>(), 0U);
}

// `--json -` is all that stdout gets, so that it can be piped into a reader.
TEST(Cli, JsonToStandardOutput) {
  const auto result = pkvm_emu({"run", module("hello"), "--json", "-"});
  EXPECT_EQ(nlohmann::json::parse(result.out).at("exit").at("code"), 0);
  EXPECT_THAT(result.err, HasSubstr("module hello: loaded"));
}

// A reader that goes away does no harm: the run ends with its own exit code.
TEST(Cli, AClosedPipeIsNoCrash) {
  const auto result = shell("{ \"$EMU\" run \"$HELLO\"; echo \"code $?\" >&2; } | head -n 1");
  EXPECT_THAT(result.err, HasSubstr("code 0"));
  const auto full = shell("\"$EMU\" run \"$HELLO\" > /dev/full; echo \"code $?\"");
  EXPECT_THAT(full.out, HasSubstr("code 0"));
}

// Ctrl-C ends a run that would go on for minutes; the verdict says so.
TEST(Cli, CtrlCStopsTheRun) {
  const ScratchDirectory scratch;
  const std::string folder = scratch.path() / "out";
  ASSERT_EQ(pkvm_emu({"run", module("hello"), "--export-qemu", folder}).exit_code, 0);
  image::CpioWriter writer;
  ASSERT_TRUE(writer.add_file("pkvm-emu.rc", "call repeat=1000000000000 hello_hvc\n"));
  const auto wish = std::move(writer).finish();
  const std::string initramfs = folder + "/initramfs.cpio";
  put(initramfs,
      content_of(initramfs) + std::string(reinterpret_cast<const char*>(wish.data()), wish.size()));

  // The interrupt comes when the calls are being made, however long it takes to get there. Nothing
  // tells that the first one began; it is moments after the last line before it.
  const std::string out = scratch.path() / "console";
  const auto result =
      shell("\"$EMU\" run hello --budget 1000G --initramfs '" + initramfs + "' >'" + out +
            "' 2>&1 & until grep -q 'host deprivileged' '" + out +
            "' || ! kill -0 $!; do sleep 0.05; done; sleep 1; kill -INT $!; wait $!; "
            "echo \"code $?\"; cat '" +
            out + "'");
  EXPECT_THAT(result.out, HasSubstr("code 130\n"));
  EXPECT_THAT(result.out, HasSubstr("run: interrupted at EL"));
  EXPECT_THAT(result.out, HasSubstr("module hello: loaded"));
  EXPECT_THAT(result.out, HasSubstr("call hello_hvc (hvc 128): not answered"));
}

// Compressed initramfs files give the same run as plain ones.
TEST(Cli, ACompressedInitramfsRunsTheSame) {
  const ScratchDirectory scratch;
  const std::string folder = scratch.path() / "out";
  ASSERT_EQ(pkvm_emu({"run", module("hello"), "--export-qemu", folder}).exit_code, 0);
  const std::string plain = folder + "/initramfs.cpio";
  ASSERT_EQ(shell("gzip -k " + plain).exit_code, 0);
  const Arguments rest = {"hello", "--call", "hello_hvc:1,2"};
  const auto run_with = [&](const std::string& initramfs) {
    Arguments arguments = {"--initramfs", initramfs};
    arguments.insert(arguments.end(), rest.begin(), rest.end());
    return run_emulator(arguments);
  };
  const auto from_plain = run_with(plain);
  EXPECT_EQ(from_plain.process.exit_code, 0) << from_plain.process.out << from_plain.process.err;
  EXPECT_EQ(from_plain.report, run_with(plain + ".gz").report);
}

// The exported folder is complete and its script executable.
TEST(Cli, ExportWritesEveryFile) {
  const ScratchDirectory scratch;
  const std::filesystem::path folder = scratch.path() / "a b";
  const auto result = pkvm_emu({"run", module("hello"), "--export-qemu", folder});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* name : {"Image", "initramfs.cpio", "virt.dtb", "pvmfw.bin", "run.sh"})
    EXPECT_GT(std::filesystem::file_size(folder / name), 0U) << name;
  EXPECT_TRUE(std::ranges::equal(*read_file(folder / "pvmfw.bin"), observe::builtin_pvmfw()));
  const auto permissions = std::filesystem::status(folder / "run.sh").permissions();
  EXPECT_NE(permissions & std::filesystem::perms::owner_exec, std::filesystem::perms::none);
}

// Start-up is part of the product: none of the heavy libraries are loaded.
TEST(Cli, LoadsNoHeavyLibraries) {
  const auto result = run_process({"ldd", binary});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* name : {"libxml2", "libicu", "libcrypto", "LLVM", "libarchive"})
    EXPECT_THAT(result.out, Not(HasSubstr(name)));
}

}  // namespace
}  // namespace pkvmemu::test
