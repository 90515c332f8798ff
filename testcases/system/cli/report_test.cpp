// SPDX-License-Identifier: GPL-2.0-only
// `pkvm-emu report` as a user meets it: files and folders, formats, exit codes, bad input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "harness/emulator.h"
#include "harness/sample_sweep.h"

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;
using campaign::SweepResult;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

ProcessResult report(Arguments arguments) {
  arguments.insert(arguments.begin(), {PKVMEMU_BUILD_DIR "/bin/pkvm-emu", "report"});
  return run_process(arguments);
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class CliReport : public testing::Test {
 protected:
  /// A file with this content; its path.
  std::string file(const std::string& name, std::string_view content) {
    const fs::path path = directory_.path() / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return (directory_.path() / name).string();
  }
  /// Its records dealt out to three files in a folder; the folder's path.
  std::string folder_of(const SweepResult& sweep) {
    int number = 0;
    for (const std::string& text : dealt_out(sweep, 3, 1))
      file("records/worker-" + std::to_string(number++) + ".jsonl", text);
    file("records/notes.txt", "not ours");
    return path("records");
  }

 private:
  ScratchDirectory directory_;
};

SweepResult sample() {
  return sample_sweep(7, 100);
}

/// The same without its findings.
SweepResult good_sample() {
  SweepResult sweep = sample();
  std::erase_if(sweep.cases,
                [](const auto& record) { return campaign::is_finding(record.outcome); });
  sweep.sweep.cases = sweep.cases.size();
  return sweep;
}

// A folder's records are put together, other files in it left alone: the same as of one file.
TEST_F(CliReport, AFolderIsItsRecords) {
  const SweepResult sweep = sample();
  const auto of_folder = report({folder_of(sweep)});
  const auto of_file = report({file("all.jsonl", as_lines(sweep))});
  EXPECT_EQ(of_folder.out, of_file.out);
  EXPECT_THAT(of_folder.out, AllOf(StartsWith("sweep of hello.ko on android15-6.6"),
                                   HasSubstr("  replay   pkvm-emu sweep hello.ko --pvm --replay "),
                                   Not(HasSubstr("\x1b"))));
  EXPECT_THAT(of_folder.err, IsEmpty());
}

// 0 without findings, 20 with some, in every format.
TEST_F(CliReport, TheExitCodeSaysWhetherThereAreFindings) {
  const std::string good = file("good.jsonl", as_lines(good_sample()));
  const std::string bad = file("bad.jsonl", as_lines(sample()));
  for (const char* format : {"table", "junit", "tap", "jsonl", "html"}) {
    EXPECT_EQ(report({good, "--format", format}).exit_code, 0) << format;
    EXPECT_EQ(report({bad, "--format", format}).exit_code, 20) << format;
  }
}

// -o says by its end what is wanted; --format decides against it; nothing is printed then.
TEST_F(CliReport, TheOutputsNameSaysItsFormat) {
  const std::string records = folder_of(good_sample());
  struct Case {
    const char* name;
    const char* begins;
  };
  for (const Case& one :
       {Case{"a.xml", "<?xml"}, Case{"a.tap", "TAP version 14"}, Case{"a.jsonl", "{\"sweep\":"},
        Case{"a.html", "<!DOCTYPE html>"}, Case{"a.txt", "sweep of"}, Case{"a", "sweep of"}}) {
    const auto result = report({records, "-o", path(one.name)});
    EXPECT_EQ(result.out + result.err, "") << one.name;
    EXPECT_THAT(content_of(path(one.name)), StartsWith(one.begins)) << one.name;
  }
  report({records, "--format", "tap", "-o", path("b.xml")});
  EXPECT_THAT(content_of(path("b.xml")), StartsWith("TAP"));
}

// --all shows each case; -q is silent about a good sweep and tells findings of a bad one.
TEST_F(CliReport, HowMuchIsTold) {
  const std::string good = file("good.jsonl", as_lines(good_sample()));
  const std::string bad = file("bad.jsonl", as_lines(sample()));
  const auto lines = [](const std::string& text) { return std::ranges::count(text, '\n'); };
  EXPECT_GT(lines(report({good, "--all"}).out), lines(report({good}).out) + 50);
  EXPECT_EQ(report({"-q", good}).out, "");
  EXPECT_THAT(report({"-q", bad}).out, AllOf(HasSubstr("replay   "), Not(HasSubstr("SITE "))));
}

// A last line that a killed worker did not finish does no harm.
TEST_F(CliReport, AnUnfinishedLineDoesNoHarm) {
  std::string text = as_lines(good_sample());
  text.resize(text.size() - 20);
  const auto result = report({file("cut.jsonl", text)});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("1 of "));
}

// What cannot be read is answered with one sentence that names it, and the right code.
TEST_F(CliReport, BadInputIsAnsweredKindly) {
  const std::string good = file("good.jsonl", as_lines(good_sample()));
  const std::string other = file("other.jsonl", as_lines(sample_sweep(8, 20)));
  const std::string damaged = file("damaged.jsonl", as_lines(good_sample()) + "{\"case\":}\n{}\n");
  fs::create_directories(path("empty"));
  struct Case {
    Arguments arguments;
    int code;
    std::string says;
  };
  const std::vector<Case> cases = {
      {{path("nosuch")}, 3, "nosuch: cannot open"},
      {{path("empty")}, 3, "empty: no *.jsonl in it"},
      {{file("none.jsonl", "")}, 3, "none.jsonl: nothing in it says what was swept"},
      {{file("elf.jsonl",
             "\x7f"
             "ELF\n\n")},
       3,
       "elf.jsonl:1: damaged"},
      {{damaged},
       3,
       "damaged.jsonl:" + std::to_string(good_sample().cases.size() + 2) + ": damaged"},
      {{good, other}, 3, "other.jsonl:1: another sweep than that of "},
      {{good, "--format", "pdf"}, 2, "--format"},
      {{good, "--all", "--format", "tap"}, 2, "--all is for the table"},
      {{good, "-o", good}, 2, "would be overwritten"},
      {{good, "-o", path("nosuch/x.html")}, 3, "cannot create"},
      {{}, 2, "FILE is required"},
  };
  for (const Case& one : cases) {
    const auto result = report(one.arguments);
    EXPECT_EQ(result.exit_code, one.code) << one.says;
    EXPECT_THAT(result.out, IsEmpty()) << one.says;
    EXPECT_THAT(result.err, AllOf(StartsWith("pkvm-emu: "), HasSubstr(one.says)));
  }
  EXPECT_THAT(content_of(good), StartsWith("{\"sweep\""));
}

}  // namespace
}  // namespace pkvmemu::test
