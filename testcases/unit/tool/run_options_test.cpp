// SPDX-License-Identifier: GPL-2.0-only
#include "run_options.h"

#include <gmock/gmock.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <string>
#include <vector>

namespace pkvmemu::tool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// The command line as a user types it, without the sub-command.
Outcome<RunOptions> parsed(std::vector<std::string> arguments) {
  CLI::App app;
  CLI::App* run = app.add_subcommand("run");
  const RunOptionsParser parser(*run);
  arguments.insert(arguments.begin(), "run");
  std::ranges::reverse(arguments);  // as CLI11 takes a vector
  app.parse(arguments);
  return parser.options();
}

// --call, --hvc, --smc and --late keep the order in which they were given, and swallow no module
// names.
TEST(RunOptions, WishesInterleave) {
  const auto options =
      parsed({"--call", "f:1", "a.ko", "--late", "late.ko", "--call=g", "--hvc", "0xc600000f:1",
              "b.ko", "--late", "later.ko", "--smc", "0xc2000001", "--call", "128"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_THAT(options->modules, ElementsAre("a.ko", "b.ko"));
  std::vector<std::string> targets;
  for (const RcLine& line : options->wishes)
    targets.push_back(line.target);
  EXPECT_THAT(targets,
              ElementsAre("f", "late.ko", "g", "0xc600000f", "later.ko", "0xc2000001", "128"));
}

// Commas belong to the arguments of a call: CLI11 must not split at them.
TEST(RunOptions, CommasStayTogether) {
  const auto options = parsed({"--call", "f:1,2,3"});
  ASSERT_TRUE(options);
  ASSERT_EQ(options->wishes.size(), 1u);
  EXPECT_THAT(options->wishes[0].args, ElementsAre(1, 2, 3));
}

// Any wish may be an early one.
TEST(RunOptions, EarlyWishes) {
  const auto options = parsed({"--touch", "early r:0x1000", "--call", "early f", "--touch", "x:1"});
  ASSERT_TRUE(options) << options.error().message;
  ASSERT_EQ(options->wishes.size(), 3u);
  EXPECT_EQ(options->wishes[0].verb, RcVerb::touch);
  EXPECT_EQ(options->wishes[0].phase, RcPhase::early);
  EXPECT_EQ(options->wishes[1].target, "f");
  EXPECT_EQ(options->wishes[1].phase, RcPhase::early);
  EXPECT_EQ(options->wishes[2].phase, RcPhase::normal);
}

// A wrong call names its option, the text and the fault.
TEST(RunOptions, ABadCallIsAUsageError) {
  const auto options = parsed({"--call", "f:1,x"});
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().code, observe::ExitCode::usage);
  EXPECT_THAT(options.error().message, HasSubstr("--call f:1,x: argument 2 is 'x'"));
}

// The other options arrive as given.
TEST(RunOptions, TheRest) {
  const auto options = parsed({"--cmdline", "a=b c", "--no-iommu", "--json", "-", "--budget", "30M",
                               "--export-qemu", "out", "--initramfs", "rd.lz4"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->cmdline, "a=b c");
  EXPECT_TRUE(options->no_iommu);
  EXPECT_EQ(options->json, "-");
  EXPECT_EQ(options->budget, 30'000'000u);
  EXPECT_EQ(options->export_qemu, "out");
  EXPECT_EQ(options->initramfs, "rd.lz4");
  EXPECT_EQ(parsed({})->budget, 2'000'000'000u);
}

// --unresolved has two values, of which refusing is the default; another is a usage error.
TEST(RunOptions, Unresolved) {
  EXPECT_FALSE(parsed({})->stub_unresolved);
  EXPECT_FALSE(parsed({"--unresolved=refuse"})->stub_unresolved);
  EXPECT_TRUE(parsed({"--unresolved", "stub"})->stub_unresolved);
  const auto wrong = parsed({"--unresolved=maybe"});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("--unresolved maybe: expected refuse or stub"));
}

// Budgets are numbers with an optional unit; zero and overflow are refused.
TEST(RunOptions, Budget) {
  EXPECT_EQ(parse_budget("1"), 1u);
  EXPECT_EQ(parse_budget("500k"), 500'000u);
  EXPECT_EQ(parse_budget("2G"), 2'000'000'000u);
  for (const char* text : {"", "0", "k", "-1", "1T", "1kk", "99999999999G"})
    EXPECT_FALSE(parse_budget(text)) << text;
}

}  // namespace
}  // namespace pkvmemu::tool
