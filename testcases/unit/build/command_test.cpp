// SPDX-License-Identifier: GPL-2.0-only
// The command pkvm-modbuild: exit codes, and that a failure leaves no module behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "build/process.h"
#include "support.h"
#include "support/file.h"

namespace pkvmemu::build {
namespace {

using testing::HasSubstr;

class CommandTest : public BuilderTest {
 protected:
  CommandTest() {
    source("el1.c", demo_el1);
    source("el2.c", demo_el2);
  }
  [[nodiscard]] ProcessResult run(const Arguments& arguments) const {
    Arguments all{std::string(PKVMEMU_BUILD_DIR) + "/bin/pkvm-modbuild"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_process(all, directory_.path()).value();
  }
  [[nodiscard]] std::filesystem::path output() const { return directory_.path() / "demo.ko"; }
};

// The command writes what the library builds, and says nothing.
TEST_F(CommandTest, WritesTheModule) {
  const ProcessResult result =
      run({"--name", "demo", "--el1", "el1.c", "--el2", "el2.c", "-o", "demo.ko"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "");
  const Bytes by_library = build_module(spec(demo_el1, demo_el2)).value().image;
  EXPECT_EQ(read_file(output()).value(), by_library);
}

// Wrong usage is 2, help is 0.
TEST_F(CommandTest, UsageErrorsAreTwo) {
  EXPECT_EQ(run({"--name", "demo"}).exit_code, 2);
  EXPECT_EQ(run({"--name", "demo", "--el1", "el1.c", "-o", "demo.ko", "--cfi", "maybe"}).exit_code,
            2);
  EXPECT_EQ(
      run({"--name", "demo", "--el1", "el1.c", "-o", "demo.ko", "--kmi", "android1-2.4"}).exit_code,
      2);
  const ProcessResult help = run({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.output, HasSubstr("--el2"));
}

// A source that is missing or wrong is 3, and no module is written.
TEST_F(CommandTest, BadSourcesAreThree) {
  const ProcessResult missing = run({"--name", "demo", "--el1", "no.c", "-o", "demo.ko"});
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_EQ(missing.output, "pkvm-modbuild: no.c: no such file\n");
  source("bad.c", "int broken(\n");
  const ProcessResult bad = run({"--name", "demo", "--el1", "bad.c", "-o", "demo.ko"});
  EXPECT_EQ(bad.exit_code, 3);
  EXPECT_THAT(bad.output, HasSubstr("bad.c:1:"));
  EXPECT_FALSE(std::filesystem::exists(output()));
}

// A module that cannot be written is 3, too.
TEST_F(CommandTest, UnwritableOutputIsThree) {
  const ProcessResult result =
      run({"--name", "demo", "--el1", "el1.c", "--el2", "el2.c", "-o", "nowhere/demo.ko"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.output, HasSubstr("nowhere/demo.ko: cannot create"));
}

// -I and -D can be given several times, in both spellings, and reach all sources.
TEST_F(CommandTest, DefinesAndFoldersAreRepeatable) {
  source("own.h", "#if A != 1 || B != 2\n#error wrong defines\n#endif\n");
  source("own.c", "#include <own.h>\n");
  const Arguments bare{"--name", "demo", "--el1", "el1.c", "--el2", "el2.c",  "own.c",
                       "-I",     ".",    "-I",    "sub",   "-o",    "demo.ko"};
  const ProcessResult without = run(bare);
  EXPECT_EQ(without.exit_code, 3);
  EXPECT_THAT(without.output, HasSubstr("wrong defines"));
  Arguments with = bare;
  with.insert(with.end(), {"-DA=1", "-D", "B=2"});
  EXPECT_EQ(run(with).exit_code, 0) << run(with).output;
}

}  // namespace
}  // namespace pkvmemu::build
