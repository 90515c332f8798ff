// SPDX-License-Identifier: GPL-2.0-only
// Loading what a kernel would, seen from outside: parameters, symbols between modules, missing
// symbols and stubs, delayed work, and files that were changed after they were built.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "harness/emulator.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A module after llvm-objcopy; `name` stays its file name.
class ChangedModule {
 public:
  ChangedModule(const std::string& name, const Arguments& options)
      : path_(directory_.path() / (name + ".ko")) {
    Arguments command{"llvm-objcopy-19"};
    command.insert(command.end(), options.begin(), options.end());
    command.insert(command.end(), {module(name), path_.string()});
    const ProcessResult result = run_process(command);
    if (result.exit_code != 0) throw std::runtime_error(result.out + result.err);
  }
  void append(std::string_view text) const {
    std::ofstream(path_, std::ios::binary | std::ios::app) << text;
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  ScratchDirectory directory_;
  std::filesystem::path path_;
};

std::string reason_of(const EmulatorRun& run, std::size_t index = 0) {
  return run.report.at("modules").at(index).at("reason").get<std::string>();
}

// Without arguments every parameter keeps what it was built with.
TEST(Parameters, KeepTheirInitialValues) {
  const auto run = run_emulator({module("paramtypes")});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(lines_with(run.console, "paramtypes:"),
              ElementsAre("paramtypes: 1 -2 3 -4 5", "paramtypes: -6 7 8 0x9 0 1",
                          "paramtypes: text 'built in' buffer 'short' even 0",
                          "paramtypes: list[0] = 1", "paramtypes: list[1] = 2"));
}

// Each type reads its own text; '-' and '_' are equal, a bool needs no value, quotes keep blanks.
TEST(Parameters, AreSetFromTheCommandLine) {
  const auto run = run_emulator(
      {module("paramtypes"), "--cmdline",
       "paramtypes.a_byte=0xff paramtypes.a_short=-32768 paramtypes.a_ushort=65535 "
       "paramtypes.an-int=017 paramtypes.a_uint=4294967295 paramtypes.a_long=-9223372036854775808 "
       "paramtypes.a_ulong=18446744073709551615 paramtypes.a_ullong=+9 paramtypes.a_hexint=0xabc "
       "paramtypes.a_bool paramtypes.inverted=yes \"paramtypes.text=two words\" "
       "paramtypes.buffer=1234567 paramtypes.list=7,8,9 paramtypes.even=-6"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(
      lines_with(run.console, "paramtypes:"),
      ElementsAre("paramtypes: 255 -32768 65535 15 4294967295",
                  "paramtypes: -9223372036854775808 18446744073709551615 9 0xabc 1 0",
                  "paramtypes: text 'two words' buffer '1234567' even -6",
                  "paramtypes: list[0] = 7", "paramtypes: list[1] = 8", "paramtypes: list[2] = 9"));
}

// Bad twins: each value that its type refuses ends the load before init, with the type's error.
TEST(Parameters, RefusedValuesEndTheLoad) {
  struct Row {
    std::string argument;
    int error;
    std::string words;
  };
  for (const Row& row : {Row{"a_byte=256", -34, "`256' invalid for parameter `a_byte'"},
                         Row{"a_uint=-1", -22, "`-1' invalid for parameter `a_uint'"},
                         Row{"an_int=", -22, "`' invalid for parameter `an_int'"},
                         Row{"an_int", -22, "`' invalid for parameter `an_int'"},
                         Row{"a_bool=perhaps", -22, "`perhaps' invalid for parameter `a_bool'"},
                         Row{"buffer=12345678", -28, "`12345678' too large for parameter `buffer'"},
                         Row{"list=1,2,3,4,5", -22, "`1,2,3,4,5' invalid for parameter `list'"},
                         Row{"even=5", -22, "`5' invalid for parameter `even'"}}) {
    const auto run =
        run_emulator({module("paramtypes"), "--cmdline", "paramtypes." + row.argument});
    EXPECT_EQ(run.process.exit_code, 10) << row.argument;
    EXPECT_EQ(run.report.at("modules").at(0).at("error"), row.error) << row.argument;
    EXPECT_EQ(run.report.at("modules").at(0).at("step"), "parameters") << row.argument;
    EXPECT_THAT(run.console, Contains("paramtypes: " + row.words));
  }
}

// An unknown parameter is a message; the module loads.
TEST(Parameters, AnUnknownOneIsIgnored) {
  const auto run = run_emulator({module("paramtypes"), "--cmdline", "paramtypes.nosuch=1"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains("paramtypes: unknown parameter 'nosuch' ignored"));
}

// A module uses the function and the variable that an earlier one exports.
TEST(Symbols, AnEarlierModuleExports) {
  const auto run = run_emulator({module("exporter"), module("importer")});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains("importer: 42, 42"));
}

// Out of order the importer fails, and every symbol that it misses is named.
TEST(Symbols, OutOfOrderAllMissingOnesAreNamed) {
  const auto run = run_emulator({module("importer"), module("exporter")});
  EXPECT_EQ(run.process.exit_code, 10) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains("importer: Unknown symbol exporter_add (err -2)"));
  EXPECT_THAT(run.console, Contains("importer: Unknown symbol exporter_count (err -2)"));
  EXPECT_THAT(reason_of(run), HasSubstr("exporter_add"));
  EXPECT_THAT(reason_of(run), HasSubstr("exporter_count"));
  EXPECT_EQ(run.report.at("modules").at(0).at("unresolved").size(), 2U);
}

// Stubs answer 0, and each call is told: on the console, in the report, in the verdict.
TEST(Symbols, StubsStandInForMissingOnes) {
  const auto run = run_emulator({module("unresolved"), "--unresolved=stub"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains("unresolved: 0 0, mapped 0"));
  EXPECT_THAT(lines_with(run.console, "stub: vendor_probe() called from").size(), 2U);
  EXPECT_EQ(run.report.at("stub_uses"),
            nlohmann::json::parse(R"([{"symbol": "vendor_probe", "count": 2, "declared": false},
                                      {"symbol": "vendor_map", "count": 1, "declared": false}])"));
  EXPECT_EQ(run.report.at("modules").at(0).at("stubbed").size(), 2U);
  EXPECT_THAT(run.process.out, HasSubstr("stub vendor_probe: called 2 times, answered 0"));
}

// The bad twin: without the option the module is refused and nothing is stubbed.
TEST(Symbols, WithoutStubsTheLoadIsRefused) {
  const auto run = run_emulator({module("unresolved")});
  EXPECT_EQ(run.process.exit_code, 10) << run.process.out << run.process.err;
  EXPECT_THAT(run.report.at("stub_uses"), IsEmpty());
  EXPECT_EQ(run.report.at("modules").at(0).at("error"), -2);
}

// Work runs in the order it falls due, after deprivilege; cancelled work does not; flushing runs at
// once.
TEST(Work, RunsWhenItIsDue) {
  const auto run = run_emulator({module("works")});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  std::vector<std::string> told;
  for (const std::string& line : run.console)
    if (line.starts_with("works:") || line == "host deprivileged") told.push_back(line);
  EXPECT_THAT(told,
              ElementsAre("works: again 0, cancelled 1 0", "works: spin locked 1, mutex free 1",
                          "works: first after 0 ms", "works: slept 1", "host deprivileged",
                          "works: round 1 after 960 ms", "works: second after 1000 ms",
                          "works: round 2 after 1060 ms", "works: round 3 after 1160 ms"));
}

// What the kernel exports for memory, pages, strings and numbers does what its users expect.
TEST(Library, DoesWhatModulesExpect) {
  const auto run = run_emulator({module("library")});
  EXPECT_THAT(run.console, Contains("library: memory 0, pages 0, strings 0, numbers 0"));
}

// An EL1 init that fails after its EL2 half was loaded: the half stays, the report says so, and the
// hypervisor does not mind.
TEST(El1Init, FailsAfterAGoodEl2Load) {
  const auto run = run_emulator({module("el1late")});
  EXPECT_EQ(run.process.exit_code, 10) << run.process.out << run.process.err;
  EXPECT_EQ(reason_of(run),
            "EL1 init returned -19 (ENODEV); its EL2 half was loaded before and stays with EL2");
  EXPECT_TRUE(run.report.at("deprivileged").get<bool>());
  EXPECT_TRUE(run.report.at("hyp_panic").is_null());
  EXPECT_FALSE(run.report.at("modules").at(0).at("hyp_va").is_null());
}

// The same module twice: the second load answers -17 and the first one stays.
TEST(Twice, IsEexist) {
  const ScratchDirectory scratch;
  const std::string exported = scratch.path() / "exported";
  run_emulator({module("noload"), "--export-qemu", exported});
  const auto run =
      run_emulator({"--initramfs", exported + "/initramfs.cpio", "noload", "--late", "noload"});
  EXPECT_THAT(run.console, Contains("late noload: -17"));
}

// In unprotected mode the list is ignored, and an EL2 half asked for later is refused with -95; a
// module without one loads.
TEST(Unprotected, TheListIsIgnored) {
  const auto run = run_emulator({module("hello"), "--cmdline", "kvm-arm.mode=nvhe", "--late",
                                 module("counter"), "--late", module("noload")});
  EXPECT_THAT(run.console, Contains(HasSubstr("kvm-arm.protected_modules= is ignored")));
  EXPECT_THAT(run.console, Contains("late counter: -95"));
  EXPECT_THAT(run.console, Contains("late noload: 0"));
  EXPECT_THAT(lines_with(run.console, "hello:"), IsEmpty());
}

// Stripped of debug information and of every symbol that no relocation needs, a module still loads;
// so does one with symbol versions and one with a signature behind it.
TEST(Changed, HarmlessChangesLoad) {
  const ChangedModule no_debug("hello", {"--strip-debug"});
  const ChangedModule unneeded("hello", {"--strip-unneeded"});
  const ChangedModule versions("hello", {"--add-section=__versions=/dev/null",
                                         "--set-section-flags=__versions=alloc,readonly"});
  const ChangedModule signature("hello", {});
  signature.append("0123456789" + std::string(40, '\0') + "~Module signature appended~\n");
  for (const ChangedModule* changed : {&no_debug, &unneeded, &versions, &signature}) {
    const auto run = run_emulator({changed->path(), "--call", "128:1,2"});
    EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
    EXPECT_EQ(run.report.at("calls").at(0).at("result").at(1), "0x3");
  }
}

// EL2 code without its table of pointers: -ENOEXEC, before anything ran.
TEST(Changed, WithoutHypRelocIsEnoexec) {
  const ChangedModule changed("hello",
                              {"--remove-section=.hyp.reloc", "--remove-section=.rela.hyp.reloc"});
  const auto run = run_emulator({changed.path()});
  EXPECT_EQ(run.process.exit_code, 10) << run.process.out << run.process.err;
  EXPECT_EQ(run.report.at("modules").at(0).at("error"), -8);
  EXPECT_THAT(reason_of(run), HasSubstr("no .hyp.reloc"));
}

// An EL2 section that does not start on a page: -EINVAL from the load call.
TEST(Changed, AMisalignedHypSectionIsEinval) {
  const ChangedModule changed("hello", {"--set-section-alignment=.hyp.rodata=64"});
  const auto run = run_emulator({changed.path()});
  EXPECT_EQ(run.process.exit_code, 10) << run.process.out << run.process.err;
  EXPECT_EQ(run.report.at("modules").at(0).at("error"), -22);
  EXPECT_THAT(reason_of(run), HasSubstr("not a multiple of the page size"));
}

}  // namespace
}  // namespace pkvmemu::test
