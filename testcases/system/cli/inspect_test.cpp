// SPDX-License-Identifier: GPL-2.0-only
// `pkvm-emu inspect` as a user meets it: exit codes, streams, advice, bad input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "harness/emulator.h"

namespace pkvmemu::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

ProcessResult inspect(Arguments arguments) {
  arguments.insert(arguments.begin(), {PKVMEMU_BUILD_DIR "/bin/pkvm-emu", "inspect"});
  return run_process(arguments);
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A file of this content, for as long as this lives.
class File {
 public:
  File(const std::string& name, const std::string& content) : path_(directory_.path() / name) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  ScratchDirectory directory_;
  std::filesystem::path path_;
};

std::string hello_with(const std::string& from, const std::string& to) {
  std::string content = content_of(module("hello"));
  const auto at = content.find(from);
  EXPECT_NE(at, std::string::npos);
  return content.replace(at, from.size(), to);
}

// A good module: 0, text on stdout without colour, nothing on stderr.
TEST(CliInspect, GoodModule) {
  const auto result = inspect({module("hello")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("hello_hyp_init"));
  EXPECT_THAT(result.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(result.err, IsEmpty());
}

// --json prints one object on stdout and nothing else.
TEST(CliInspect, Json) {
  const auto result = inspect({module("counter"), "--json"});
  EXPECT_EQ(result.exit_code, 0);
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["name"], "counter");
  EXPECT_EQ(json["file"], module("counter"));
}

// What inspect promises of the samples is what their runs do.
TEST(CliInspect, AgreesWithRuns) {
  for (const char* name : {"hello", "counter"}) {
    EXPECT_EQ(inspect({module(name)}).exit_code, 0) << name;
    EXPECT_EQ(run_emulator({module(name)}).process.exit_code, 0) << name;
  }
  const File bad("hello.ko", hello_with("_printk", "_drintk"));
  EXPECT_EQ(inspect({bad.path()}).exit_code, 10);
  const auto run = run_emulator({bad.path()});
  EXPECT_EQ(run.process.exit_code, 10);
  EXPECT_THAT(run.process.out, HasSubstr("_drintk"));
}

// A module that would not load: 10, with the reason and what to do.
TEST(CliInspect, ModuleThatWouldNotLoad) {
  const File bad("hello.ko", hello_with("vermagic=6.6.77", "vermagic=4.9.77"));
  const auto result = inspect({bad.path()});
  EXPECT_EQ(result.exit_code, 10);
  EXPECT_THAT(result.out, HasSubstr("will not load: version magic '4.9.77"));
  EXPECT_THAT(result.out, HasSubstr("-> build it for"));
}

// What is no module: 3, one sentence on stderr that names the file, nothing on stdout.
TEST(CliInspect, NotAModule) {
  const File text("text.ko", "Hello, world\n");
  const File empty("empty.ko", "");
  const File cut("cut.ko", content_of(module("hello")).substr(0, 5000));
  const ScratchDirectory directory;
  for (const std::string& path :
       {text.path(), empty.path(), cut.path(), directory.path().string(),
        std::string("/nonexistent.ko"), std::string(PKVMEMU_BUILD_DIR "/bin/pkvm-emu")}) {
    const auto result = inspect({path});
    EXPECT_EQ(result.exit_code, 3) << path;
    EXPECT_THAT(result.err, StartsWith("pkvm-emu: " + path)) << path;
    EXPECT_THAT(result.out, IsEmpty()) << path;
  }
}

// A huge sparse file is refused by its size, before anything is read.
TEST(CliInspect, HugeFile) {
  const File huge("huge.ko", "");
  constexpr std::uintmax_t size = std::uintmax_t{1} << 36;
  std::filesystem::resize_file(huge.path(), size);
  const auto result = inspect({huge.path()});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("larger than 512 MiB"));
}

// Misuse: 2, with a hint.
TEST(CliInspect, Usage) {
  EXPECT_EQ(inspect({}).exit_code, 2);
  EXPECT_EQ(inspect({module("hello"), "--nosuch"}).exit_code, 2);
}

// --help shows examples and exit codes.
TEST(CliInspect, Help) {
  const auto result = inspect({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  for (const char* part : {"--json", "--all", "Exit codes:", "Examples:"})
    EXPECT_THAT(result.out, HasSubstr(part));
}

// Damaged modules through the whole program: a documented exit code and a message, every time.
TEST(CliInspect, Mutations) {
  constexpr unsigned seed = 77;
  constexpr int rounds = 120;
  std::mt19937 random(seed);
  const std::string original = content_of(module("counter"));
  for (int round = 0; round < rounds; ++round) {
    std::string content = original;
    const std::size_t begin = round % 2 == 0 ? 0 : content.size() * 3 / 4;
    for (int left = 0; left < 4; ++left)
      content[begin + random() % (content.size() - begin)] = static_cast<char>(random());
    if (round % 15 == 0) content.resize(random() % content.size());
    const File file("counter.ko", content);
    const auto result = inspect({file.path()});
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", round " << round);
    EXPECT_THAT(result.exit_code, AnyOf(0, 3, 10)) << result.err;
    EXPECT_FALSE((result.out + result.err).empty());
  }
}

}  // namespace
}  // namespace pkvmemu::test
