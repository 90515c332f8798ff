// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include "campaign/report_html.h"
#include "campaign/report_junit.h"
#include "campaign/report_table.h"
#include "campaign/report_tap.h"
#include "fault/fault.h"
#include "harness/sample_sweep.h"
#include "harness/text_mutator.h"
#include "unit/campaign/markup.h"

namespace pkvmemu::campaign {
namespace {

using test::as_lines;
using test::dealt_out;
using test::sample_sweep;
using testing::ElementsAre;
using testing::HasSubstr;

SweepRecord small_sweep(std::string fingerprint = "f1") {
  return {.fingerprint = std::move(fingerprint),
          .modules = {"dir/hello.ko"},
          .generation = "android15-6.6",
          .mode = "once",
          .replay = {"pkvm-emu", "sweep", "dir/hello.ko"},
          .occurrences = {{"hyp.donate", 3}},
          .meanings = {{"hyp.donate", "a donation"}, {"hyp.map", "a mapping"}},
          .cases = 3};
}

CaseRecord full_case() {
  return {.id = "hyp.donate:nth=2+load.file:nth=1",
          .faults = {{.site = "hyp.donate",
                      .meaning = "a donation",
                      .nth = 2,
                      .times = fault::every_time,
                      .answer = -12,
                      .path = {"f+0x10 [hyp]", "g [host]"},
                      .disassembly = {"0x10: nop"}},
                     {.site = "load.file", .meaning = "", .nth = 1, .path = {}, .disassembly = {}}},
          .outcome = Outcome::bug,
          .why = "pages leaked",
          .findings = {{.kind = "pages-leaked", .text = "2 pages"}},
          .verdict = {"module hello: NOT loaded"},
          .log = {"line \"1\"\t\\", ""},
          .instructions = 0xffff'ffff'ffff'ffff,
          .exit_code = 10};
}

CaseRecord case_called(std::string id, Outcome outcome = Outcome::clean) {
  CaseRecord record;
  record.id = std::move(id);
  record.outcome = outcome;
  return record;
}

Result<SweepResult> merge_texts(const std::vector<std::string>& texts) {
  std::vector<NamedText> files;
  for (const std::string& text : texts)
    files.push_back({.name = fmt::format("{}.jsonl", files.size()), .text = text});
  return merge(files);
}

std::string problem_of(const std::vector<std::string>& texts) {
  const auto merged = merge_texts(texts);
  return merged ? "merged" : merged.error().message;
}

std::vector<std::string> ids_of(const SweepResult& result) {
  std::vector<std::string> ids;
  std::ranges::transform(result.cases, std::back_inserter(ids), &CaseRecord::id);
  return ids;
}

// Every outcome has a name of its own, by which it is found again; other words are none.
TEST(Record, OutcomesHaveNames) {
  for (std::size_t index = 0; index < outcome_count; ++index) {
    const auto outcome = static_cast<Outcome>(index);
    EXPECT_EQ(outcome_of(name_of(outcome)), outcome);
  }
  EXPECT_EQ(name_of(Outcome::expected_error), "expected-error");
  EXPECT_EQ(outcome_of("Clean"), std::nullopt);
  EXPECT_FALSE(is_finding(Outcome::expected_error));
  EXPECT_TRUE(is_finding(Outcome::bug));
}

// What is written is read back the same, in one line, with every field set and with none set.
TEST(Record, LinesAreReadBackTheSame) {
  for (const Line& line : {Line(small_sweep()), Line(full_case()), Line(case_called("a")), Line([] {
                             SweepRecord bare;
                             bare.fingerprint = "f";
                             return bare;
                           }())}) {
    const std::string text = to_line(line);
    EXPECT_EQ(std::ranges::count(text, '\n'), 1) << text;
    const auto read = parse_line(text);
    ASSERT_TRUE(read) << read.error().message << text;
    EXPECT_EQ(*read, line) << text;
  }
}

// A guest may print any bytes: what is no UTF-8 is replaced, newlines and controls stay what they
// are, and the line is one line.
TEST(Record, AnyBytesOfAGuestMakeOneGoodLine) {
  CaseRecord record = case_called("a");
  record.log = {"\xff\xc3 tail", std::string("\0\n\r\x1b[31m", 8), "\xe2\x82\xac"};
  const std::string text = to_line(record);
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  const auto read = parse_line(text);
  ASSERT_TRUE(read) << read.error().message;
  const auto& log = std::get<CaseRecord>(*read).log;
  EXPECT_THAT(log, ElementsAre("\xef\xbf\xbd\xef\xbf\xbd tail", record.log[1], record.log[2]));
}

// Keys that a later version adds are passed over.
TEST(Record, UnknownKeysArePassedOver) {
  const auto read = parse_line(R"({"case":"a","outcome":"hang","colour":{"deep":[1]}})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(std::get<CaseRecord>(*read), case_called("a", Outcome::hang));
}

// What is no record is refused, with the field and what it should be.
TEST(Record, WhatIsNoRecordIsRefused) {
  struct Case {
    std::string_view line;
    std::string_view says;
  };
  constexpr std::array cases = {
      Case{"", "cut off"},
      Case{R"({"case":"a")", "cut off"},
      Case{R"({"case":"a",})", "column 13"},
      Case{"[1, 2]", "neither a case"},
      Case{R"({"kind":"a"})", "neither a case"},
      Case{R"({"case":"a"})", "'outcome': expected some text"},
      Case{R"({"case":"a","outcome":"fine"})", "'outcome': expected clean, expected-error"},
      Case{R"({"case":"","outcome":"bug"})", "'case': expected some text"},
      Case{R"({"case":7,"outcome":"bug"})", "'case': expected a string"},
      Case{R"({"case":"a","outcome":"bug","log":"x"})", "'log': expected a list"},
      Case{R"({"case":"a","outcome":"bug","log":[1]})", "'log': expected a list of strings"},
      Case{R"({"case":"a","outcome":"bug","exit_code":99999999999})", "'exit_code': expected"},
      Case{R"({"case":"a","outcome":"bug","instructions":-1})", "'instructions': expected"},
      Case{R"({"case":"a","outcome":"bug","instructions":1e999})", "not JSON"},
      Case{R"({"case":"a","outcome":"bug","faults":[{"nth":1}]})", "faults: 'site': expected"},
      Case{R"({"case":"a","outcome":"bug","faults":[3]})", "faults: expected an object"},
      Case{R"({"case":"a","outcome":"bug","faults":[{"site":"s","times":"some"}]})",
           "faults: 'times': expected a whole number"},
      Case{R"({"sweep":"f"})", "'schema': expected 1"},
      Case{R"({"sweep":"f","schema":2})", "another version"},
      Case{R"({"sweep":"","schema":1})", "'sweep': expected some text"},
      Case{R"({"sweep":"f","schema":1,"occurrences":[]})", "'occurrences': expected an object"},
      Case{R"({"sweep":"f","schema":1,"occurrences":{"a":"b"}})", "occurrences: 'a': expected"},
  };
  for (const Case& one : cases) {
    const auto read = parse_line(one.line);
    ASSERT_FALSE(read) << one.line;
    EXPECT_THAT(read.error().message, HasSubstr(one.says)) << one.line;
  }
}

// Cases come in the order of their names, numbers by value, however they were written.
TEST(Merge, OrdersNumbersByValue) {
  const std::string head = to_line(small_sweep());
  std::string text = head;
  for (const char* id : {"b:nth=10", "b:nth=2", "a:nth=3+b:nth=1", "a:nth=3", "b:nth=02"})
    text += to_line(case_called(id));
  const auto merged = merge_texts({text});
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_THAT(ids_of(*merged),
              ElementsAre("a:nth=3", "a:nth=3+b:nth=1", "b:nth=02", "b:nth=2", "b:nth=10"));
  EXPECT_EQ(merged->sweep, small_sweep());
}

// However the cases are dealt out to files, and in whatever order those are read, the whole is the
// same.
TEST(Merge, ShardsInAnyOrderMakeTheWhole) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const SweepResult whole = sample_sweep(seed, 60);
    std::vector<std::string> files = dealt_out(whole, 1 + seed % 5, seed);
    std::mt19937 random(seed);
    std::ranges::shuffle(files, random);
    const auto merged = merge_texts(files);
    ASSERT_TRUE(merged) << merged.error().message;
    EXPECT_EQ(*merged, whole) << "seed " << seed << "\n" << as_lines(*merged) << as_lines(whole);
  }
}

// A case that stands twice counts once, as it was written last.
TEST(Merge, ACaseThatStandsTwiceIsOneCase) {
  const std::string head = to_line(small_sweep());
  const auto merged =
      merge_texts({head + to_line(case_called("a", Outcome::lost)) + to_line(case_called("b")),
                   head + to_line(case_called("a", Outcome::hang))});
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_THAT(merged->cases, ElementsAre(case_called("a", Outcome::hang), case_called("b")));
}

// Wherever a file is cut off, in its last line or just before that one's newline, what stood before
// stays, and nothing else comes.
TEST(Merge, ALastLineThatWasCutOffIsLeftOut) {
  const std::string before = to_line(small_sweep()) + to_line(case_called("a"));
  const std::string last = to_line(full_case());
  for (std::size_t size = 0; size < last.size(); ++size) {
    const auto merged = merge_texts({before + last.substr(0, size)});
    ASSERT_TRUE(merged) << size << ": " << merged.error().message;
    const bool whole = size == last.size() - 1;
    EXPECT_EQ(merged->cases.size(), whole ? 2U : 1U) << size;
  }
}

// A file that was only just begun says nothing, beside one that says what was swept.
TEST(Merge, AFileThatWasJustBegunIsNoHarm) {
  const std::string head = to_line(small_sweep());
  const auto merged =
      merge_texts({"", head.substr(0, 20), head + "\n \r\n" + to_line(case_called("a"))});
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_THAT(ids_of(*merged), ElementsAre("a"));
}

// Damage anywhere else is an error that names file and line; so is a whole last line that is wrong.
TEST(Merge, DamageIsNamedWithFileAndLine) {
  const std::string head = to_line(small_sweep());
  const std::string good = to_line(case_called("a"));
  EXPECT_THAT(problem_of({head, head + good + "{\"case\":\n" + good}), HasSubstr("1.jsonl:3: "));
  EXPECT_THAT(problem_of({head + "{}"}), HasSubstr("0.jsonl:2: neither a case"));
  EXPECT_THAT(problem_of({head, good}), HasSubstr("1.jsonl:1: a case stands before"));
  EXPECT_THAT(problem_of({std::string("\x7f") + "ELF\n"}), HasSubstr("0.jsonl:1: damaged"));
  EXPECT_THAT(problem_of({""}), HasSubstr("0.jsonl: nothing in it says what was swept"));
  EXPECT_THAT(problem_of({}), HasSubstr("no file"));
}

// Records of two sweeps are not put together, and both places are named; the same one twice is.
TEST(Merge, TwoSweepsAreNotMixed) {
  const std::string head = to_line(small_sweep("f1"));
  const std::string other = to_line(small_sweep("f2"));
  EXPECT_THAT(problem_of({head, other}),
              testing::AllOf(HasSubstr("1.jsonl:1: another sweep"), HasSubstr("0.jsonl:1")));
  EXPECT_THAT(problem_of({head + other}), HasSubstr("0.jsonl:2: another sweep"));
  std::string unfinished = other;
  unfinished.pop_back();
  EXPECT_THAT(problem_of({head, unfinished}), HasSubstr("1.jsonl:1: another sweep"));
  EXPECT_EQ(problem_of({head + head, head}), "merged");
}

// However a text of records was spoilt, it is refused with file and reason, or every report of what
// it still says can be made.
TEST(Merge, SpoiltTextsAreRefusedOrReported) {
  const std::string good = as_lines(sample_sweep(5, 40));
  int read = 0;
  constexpr unsigned rounds = 400;
  for (unsigned seed = 1; seed <= rounds; ++seed) {
    const std::string text = test::TextMutator(seed).mutate(good);
    const auto merged = merge_texts({text});
    if (!merged) {
      EXPECT_THAT(merged.error().message, testing::StartsWith("0.jsonl:")) << "seed " << seed;
      continue;
    }
    ++read;
    EXPECT_EQ(test::markup_problem(to_html(*merged)), "") << "seed " << seed;
    EXPECT_EQ(test::markup_problem(to_junit(*merged)), "") << "seed " << seed;
    EXPECT_THAT(to_tap(*merged), HasSubstr("1..")) << "seed " << seed;
    EXPECT_THAT(to_table(*merged, Detail::everything, Colour::off),
                testing::StartsWith("sweep of "))
        << "seed " << seed;
  }
  EXPECT_GT(read, 0);
  EXPECT_LT(read, static_cast<int>(rounds));
}

// A resumed run goes on behind the last whole line.
TEST(WholeLines, EndWithTheLastNewline) {
  EXPECT_EQ(whole_lines("a\nb\nc"), "a\nb\n");
  EXPECT_EQ(whole_lines("a\nb\n"), "a\nb\n");
  EXPECT_EQ(whole_lines("a"), "");
  EXPECT_EQ(whole_lines(""), "");
}

}  // namespace
}  // namespace pkvmemu::campaign
