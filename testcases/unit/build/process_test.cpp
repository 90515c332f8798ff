// SPDX-License-Identifier: GPL-2.0-only
// Running programs: what they say and how they end comes back; arguments are not interpreted.
#include "build/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "build/temp_dir.h"

namespace pkvmemu::build {
namespace {

using testing::HasSubstr;

// Both streams are collected, in order, and a failing program is a result, not an error.
TEST(Process, OutputAndExitCodeComeBack) {
  const auto result = run_process({"sh", "-c", "echo out; echo err >&2; exit 7"}, ".");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, "out\nerr\n");
  EXPECT_EQ(result->exit_code, 7);
}

// Arguments reach the program as they are: no shell looks at them.
TEST(Process, ArgumentsAreNotInterpreted) {
  const auto result = run_process({"printf", "%s|", "a b", "$(id)", "*", "'"}, ".");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, "a b|$(id)|*|'|");
}

// A program ended by a signal is told from one that exits.
TEST(Process, SignalsAreReported) {
  const auto result = run_process({"sh", "-c", "kill -TERM $$"}, ".");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->exit_code, 128 + 15);
}

// A missing program says what to install.
TEST(Process, MissingProgramIsAnError) {
  const auto result = run_process({"pkvm-no-such-program"}, ".");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("pkvm-no-such-program: cannot run"));
  EXPECT_THAT(result.error().message, HasSubstr("./tools/setup"));
}

// Variables that change what compilers do stay outside.
TEST(Process, EnvironmentIsClean) {
  setenv("CPATH", "/nowhere", 1);
  const auto result = run_process({"env"}, ".");
  unsetenv("CPATH");
  ASSERT_TRUE(result);
  EXPECT_THAT(result->output, HasSubstr("PATH="));
  EXPECT_THAT(result->output, testing::Not(HasSubstr("CPATH")));
}

// Output larger than a pipe's buffer does not block.
TEST(Process, LongOutputIsCollected) {
  const auto result = run_process({"head", "-c", "300000", "/dev/zero"}, ".");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output.size(), 300000);
}

// The program runs in the directory given, and a temporary one goes away with its owner.
TEST(Process, RunsInItsDirectory) {
  std::filesystem::path path;
  {
    const TempDir directory = TempDir::create().value();
    path = directory.path();
    const auto result = run_process({"touch", "here"}, path);
    ASSERT_TRUE(result);
    EXPECT_TRUE(std::filesystem::exists(path / "here"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace pkvmemu::build
