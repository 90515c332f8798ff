// SPDX-License-Identifier: GPL-2.0-only
// --env: the user's own functions for what the kernel here does not have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "harness/emulator.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class Environment : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& text) {
    const auto path = scratch_.path() / name;
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  /// A relocatable object, as a user's own compiler makes it.
  std::string object(const std::string& name, const std::string& text,
                     const std::string& target = "aarch64-linux-gnu") {
    const std::string source = file(name + ".c", text);
    const std::string output = (scratch_.path() / (name + ".o")).string();
    const auto compiled = run_process({"clang-19", "--target=" + target, "-ffreestanding", "-O2",
                                       "-fno-pic", "-c", source, "-o", output});
    EXPECT_EQ(compiled.exit_code, 0) << compiled.err;
    return output;
  }

 private:
  ScratchDirectory scratch_;
};

constexpr const char* vendor_functions =
    "int vendor_probe(int number);\n"
    "void *vendor_map(unsigned long address);\n"
    "int vendor_probe(int number) { return number * 6; }\n"
    "void *vendor_map(unsigned long address) { return (void *)address; }\n";

// A C source gives the module what it misses.
TEST_F(Environment, ASourceBringsWhatIsMissing) {
  const auto run = run_emulator({module("unresolved"), "--env", file("mine.c", vendor_functions)});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains("unresolved: 42 48, mapped 1"));
  EXPECT_THAT(run.report.at("stub_uses"), IsEmpty());
  EXPECT_EQ(run.report.at("modules").at(0).at("name"), "pkvmemu_env");
}

// So does an object, and two files of which one needs the other; QEMU says the same.
TEST_F(Environment, ObjectsDoToo) {
  const std::string first = object(
      "first",
      "int helper(int); int vendor_probe(int n); int vendor_probe(int n) { return helper(n); }");
  const std::string second =
      object("second",
             "int helper(int n); int helper(int n) { return n + 1; }\n"
             "void *vendor_map(unsigned long a); void *vendor_map(unsigned long a) { return 0; }");
  const Arguments arguments = {module("unresolved"), "--env", first, "--env", second};
  const auto run = run_emulator(arguments);
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains("unresolved: 8 9, mapped 0"));
  EXPECT_EQ(run_qemu(arguments), run.console);
}

// A definition comes before the declared stub of this name.
TEST_F(Environment, DefinitionsComeBeforeStubs) {
  const auto run =
      run_emulator({module("declared"), "--env",
                    file("mine.c",
                         "#include <linux/printk.h>\n"
                         "int request_firmware(void **firmware, const char *name, void *dev);\n"
                         "int request_firmware(void **firmware, const char *name, void *dev)\n"
                         "{ pr_info(\"mine: %s\\n\", name); return 0; }\n")});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains("mine: declared.bin"));
  EXPECT_THAT(run.console, Contains("declared: firmware 0"));
  EXPECT_THAT(lines_with(run.console, "stub: request_firmware()"), IsEmpty());
  EXPECT_THAT(run.console, Contains("stub: misc_register() answers 0"));
}

// What cannot serve is refused before anything starts, in a sentence that names it.
TEST_F(Environment, WhatCannotServeIsRefused) {
  struct Row {
    std::string file;
    std::string why;
  };
  const Row rows[] = {
      {object("clash", "int kfree(void *p); int kfree(void *p) { return 0; }"),
       "defines kfree, which the kernel here exports itself"},
      {object(
           "needs",
           "int nobody(void); int vendor_probe(void); int vendor_probe(void) { return nobody(); }"),
       "needs nobody, which neither the kernel here nor another --env file has"},
      {object("other", "int vendor_probe(void); int vendor_probe(void) { return 0; }",
              "x86_64-linux-gnu"),
       "AArch64"},
      {object("el2",
              "__attribute__((section(\".hyp.text\"))) int f(void); int f(void) { return 0; }"),
       "has the section .hyp.text"},
      {object("empty",
              "static int f(void) { return 0; } static int (*p)(void) __attribute__((used)) = f;"),
       "defines nothing that a module could use"},
      {file("text.o", "not an object"), "text.o"},
      {file("broken.c", "int f("), "broken.c"},
      {"/nonexistent/mine.o", "/nonexistent/mine.o"},
  };
  for (const Row& row : rows) {
    const auto run = run_emulator({module("unresolved"), "--env", row.file});
    EXPECT_EQ(run.process.exit_code, 3) << row.file << run.process.err;
    EXPECT_THAT(run.process.err, HasSubstr(row.why)) << row.file;
  }
}

// Other files of the archive are the user's own.
TEST_F(Environment, AnArchiveHasItsOwnModules) {
  const auto run = run_emulator(
      {"x", "--initramfs", file("a.cpio", ""), "--env", file("mine.c", vendor_functions)});
  EXPECT_EQ(run.process.exit_code, 2);
  EXPECT_THAT(run.process.err, HasSubstr("with --initramfs all modules are in the archive"));
}

}  // namespace
}  // namespace pkvmemu::test
