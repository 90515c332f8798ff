// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/report_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "campaign/id_order.h"
#include "campaign/summary.h"
#include "fault/fault.h"
#include "unit/campaign/small_sweep.h"

namespace pkvmemu::campaign {
namespace {

using test::bad_sweep;
using test::fault_at;
using test::good_sweep;
using test::small_sweep;
using testing::ElementsAre;
using testing::SizeIs;

// Good text stays as it is; what moves a cursor, turns text round or is no UTF-8 is made visible.
TEST(Printable, ShowsWhatWouldBeActedUpon) {
  EXPECT_EQ(printable("plain\ttext, \xc3\xa4 \xe2\x82\xac \xf0\x9f\x99\x82"),
            "plain\ttext, \xc3\xa4 \xe2\x82\xac \xf0\x9f\x99\x82");
  EXPECT_EQ(printable("\rend\r\n"), "end");
  EXPECT_EQ(printable("a\rb\nc\x1b[2J\x7f"), R"(a\x0db\x0ac\x1b[2J\x7f)");
  EXPECT_EQ(printable(std::string_view("\0", 1)), R"(\x00)");
  EXPECT_EQ(printable("\xc2\x9b \xe2\x80\xae \xef\xbf\xbe"), R"(\x9b \u202e \ufffe)");
}

// Each byte that belongs to no character becomes U+FFFD: stray, cut off, too long, a surrogate,
// beyond the last.
TEST(Printable, ReplacesWhatIsNoUtf8) {
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(printable("\xff"), bad);
  EXPECT_EQ(printable("\x80z"), bad + "z");
  EXPECT_EQ(printable("\xe2\x82"), bad + bad);
  EXPECT_EQ(printable("\xc0\xaf"), bad + bad);
  EXPECT_EQ(printable("\xed\xa0\x80"), bad + bad + bad);
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), bad + bad + bad + bad);
}

// What is cut is cut between characters.
TEST(Shortened, CutsBetweenCharacters) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "abc...");
  EXPECT_EQ(shortened("ab\xe2\x82\xac", 3), "ab...");
  EXPECT_EQ(shortened("ab\xe2\x82\xac z", 5), "ab\xe2\x82\xac...");
}

// Modules are told by their names, wherever they lie.
TEST(SubjectText, NamesModules) {
  SweepRecord sweep = small_sweep().sweep;
  sweep.modules = {"/a/b/hello.ko", "other.ko"};
  EXPECT_EQ(subject_text(sweep), "hello.ko, other.ko on android15-6.6, once");
}

// The five characters of markup are escaped, and nothing twice.
TEST(Escaped, KnowsTheFive) {
  EXPECT_EQ(escaped("a<b>&\"'&lt;"), "a&lt;b&gt;&amp;&quot;&#39;&amp;lt;");
}

// Answers are told by number and name; a site that answers with nothing says so.
TEST(AnswerText, NumberAndName) {
  EXPECT_EQ(answer_text(fault_at("s", 1, -12)), "-12 (ENOMEM)");
  EXPECT_EQ(answer_text(fault_at("s", 1, -999)), "-999");
  EXPECT_EQ(answer_text(fault_at("s", 1, 1)), "nothing");
  EXPECT_EQ(answer_text(fault_at("s", 1, 0)), "");
}

// An occurrence is told with how many there are, where that is known.
TEST(OccurrenceText, SaysHowOften) {
  const SweepRecord sweep = small_sweep().sweep;
  FaultRecord fault = fault_at("a.give", 2, -1);
  EXPECT_EQ(occurrence_text(fault, sweep), "2 of 3");
  fault.times = 4;
  EXPECT_EQ(occurrence_text(fault, sweep), "2 of 3, 4 times");
  fault.times = fault::every_time;
  EXPECT_EQ(occurrence_text(fault, sweep), "from 2 of 3 on");
  EXPECT_EQ(occurrence_text(fault_at("elsewhere", 7, 0), sweep), "7");
}

// A replay can be pasted into a shell, whatever the files are called.
TEST(ReplayCommand, IsQuotedForAShell) {
  SweepRecord sweep = small_sweep().sweep;
  sweep.replay = {"pkvm-emu", "sweep", "it's mine.ko", "--call=f:1,-2", ""};
  CaseRecord record;
  record.id = "a:nth=1+b:nth=2";
  EXPECT_EQ(replay_command(sweep, record),
            R"(pkvm-emu sweep 'it'\''s mine.ko' --call=f:1,-2 '' --replay a:nth=1+b:nth=2)");
}

// Outcomes that came up are counted, findings first.
TEST(OutcomesText, FindingsFirst) {
  EXPECT_EQ(outcomes_text(bad_sweep()),
            "1 bug, 1 panic, 1 hang, 1 lost, 2 expected errors, 1 clean");
  EXPECT_EQ(outcomes_text(good_sweep()), "2 expected errors, 1 clean");
  EXPECT_EQ(outcomes_text(small_sweep()), "no cases");
}

// Sites without a case are found, whether the clean run came there or not.
TEST(Summary, UntriedSites) {
  const auto names = [](const SweepResult& result) {
    std::vector<std::string_view> all;
    for (const SiteRow& row : untried_sites(result))
      all.push_back(row.name);
    return all;
  };
  const SweepResult good = good_sweep();
  EXPECT_THAT(names(good), ElementsAre("c.never"));
  const SweepResult empty = small_sweep();
  EXPECT_THAT(names(empty), ElementsAre("a.give", "b.take", "c.never"));
}

// Cases that were planned and are not there are counted; more than planned is not less than none.
TEST(Summary, CasesNotRun) {
  SweepResult result = good_sweep();
  EXPECT_EQ(cases_not_run(result), 0U);
  result.sweep.cases = 10;
  EXPECT_EQ(cases_not_run(result), 7U);
  result.sweep.cases = 0;
  EXPECT_EQ(cases_not_run(result), 0U);
}

// Findings of one outcome, reason and kind are alike, whatever their addresses; another reason,
// kind or outcome is another finding.
TEST(Summary, AlikeFindings) {
  SweepResult result = bad_sweep();
  CaseRecord again = result.cases.at(3);
  again.id = "d.bad:nth=9";
  again.findings.front().text = "0x50002";
  result.cases.push_back(again);
  again.id = "d.bad:nth=10";
  again.findings.front().kind = "availability";
  result.cases.push_back(again);
  const auto groups = alike_findings(result);
  ASSERT_THAT(groups, SizeIs(5));
  EXPECT_THAT(groups.at(0), ElementsAre(&result.cases.at(3), &result.cases.at(7)));
  EXPECT_THAT(groups.at(1), ElementsAre(&result.cases.at(8)));
  EXPECT_EQ(groups.at(4).front()->outcome, Outcome::lost);
}

// Numbers in names count by value, all else by its characters; nothing is before itself.
TEST(IdOrder, NumbersByValue) {
  const IdOrder before;
  EXPECT_TRUE(before("a:nth=2", "a:nth=10"));
  EXPECT_FALSE(before("a:nth=10", "a:nth=2"));
  EXPECT_TRUE(before("a:nth=99999999999999999999", "a:nth=100000000000000000000"));
  EXPECT_TRUE(before("a", "a:nth=1"));
  EXPECT_TRUE(before("a:nth=9", "b:nth=1"));
  EXPECT_NE(before("a07", "a7"), before("a7", "a07"));
  EXPECT_FALSE(before("a7", "a7"));
}

}  // namespace
}  // namespace pkvmemu::campaign
