// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/report_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/campaign/small_sweep.h"

namespace pkvmemu::campaign {
namespace {

using test::bad_sweep;
using test::good_sweep;
using test::hostile_sweep;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

// A good sweep: cases of a site that came to the same are one line, sites that nothing reached are
// named, and the sum is last.
TEST(ReportTable, AGoodSweepIsFolded) {
  EXPECT_EQ(to_table(good_sweep(), Detail::folded, Colour::off),
            R"(sweep of hello.ko on android15-6.6, once

SITE    OCCURRENCE  ANSWER        OUTCOME         WHY
a.give  1-2 of 3    -12 (ENOMEM)  expected-error  not loaded
b.take  1 of 1      nothing       clean           nothing came of it

No case reached 1 site:
  c.never

3 cases: 2 expected errors, 1 clean
)");
}

// Each finding is told in full, with who called, the code, the log and the command that replays it.
TEST(ReportTable, AFindingIsToldInFull) {
  EXPECT_THAT(to_table(bad_sweep(), Detail::folded, Colour::off),
              AllOf(HasSubstr(R"(bug: d.bad:nth=1
  why      2 pages leaked
  found    pages-leaked: 0x50000, 0x50001
  fault    d.bad, 1: answers -1 (EPERM); a step of d.bad
  in       callee+0x10 [hyp]
           caller+0x4 [host]
  code     > 0x8: mov x0, xzr
  verdict  module hello: NOT loaded
  log      first line
           last line
  replay   pkvm-emu sweep 'my hello.ko' --replay d.bad:nth=1
)"),
                    HasSubstr("panic: d.bad:nth=2\n"), HasSubstr("hang: d.bad:nth=3\n"),
                    HasSubstr("lost: d.bad:nth=4\n"),
                    EndsWith("\n7 cases: 1 bug, 1 panic, 1 hang, 1 lost, 2 expected errors, 1 "
                             "clean\n")));
}

// --all shows each case in a line with its call path.
TEST(ReportTable, EverythingShowsEachCase) {
  const std::string table = to_table(good_sweep(), Detail::everything, Colour::off);
  EXPECT_THAT(table, AllOf(HasSubstr("\n  c.never  never comes\n"), HasSubstr("a.give  1 of 3 "),
                           HasSubstr("a.give  2 of 3 "),
                           HasSubstr("\n    in callee+0x10 [hyp] < caller+0x4 [host]\n")));
}

// Findings that are alike are told once and the others named; --all tells each.
TEST(ReportTable, AlikeFindingsAreToldOnce) {
  SweepResult result = bad_sweep();
  for (int more = 0; more < 12; ++more) {
    CaseRecord again = result.cases.at(3);
    again.id = "d.bad:nth=1" + std::to_string(more);
    result.cases.push_back(again);
  }
  const std::string folded = to_table(result, Detail::folded, Colour::off);
  EXPECT_THAT(folded, AllOf(HasSubstr("  alike    d.bad:nth=10, d.bad:nth=11,"),
                            HasSubstr("and 4 more; --all shows each\n\npanic:"),
                            Not(HasSubstr("bug: d.bad:nth=10"))));
  EXPECT_THAT(to_table(result, Detail::everything, Colour::off),
              AllOf(HasSubstr("bug: d.bad:nth=111\n"), Not(HasSubstr("  alike "))));
}

// Pairs fold by their first site; a single one says why.
TEST(ReportTable, PairsFoldByTheirFirstSite) {
  SweepResult result = good_sweep();
  for (CaseRecord& record : result.cases)
    record.faults.push_back(test::fault_at("e.second", 1, -5));
  EXPECT_THAT(to_table(result, Detail::folded, Colour::off),
              AllOf(HasSubstr("a.give and another  2 cases             expected-error\n"),
                    HasSubstr("b.take and another  1 case              clean           nothing")));
  EXPECT_THAT(to_table(result, Detail::everything, Colour::off),
              HasSubstr("\n    and e.second, 1, -5 (EIO)\n"));
}

// Names of many sites that no case reached are wrapped, each whole.
TEST(ReportTable, UntriedSitesAreWrapped) {
  SweepResult result = good_sweep();
  for (int more = 10; more < 40; ++more)
    result.sweep.meanings.emplace("site.number" + std::to_string(more), "");
  const std::string table = to_table(result, Detail::folded, Colour::off);
  EXPECT_THAT(table, AllOf(HasSubstr("No case reached 31 sites:\n  c.never, site.number10, "),
                           HasSubstr(" site.number39\n\n")));
  for (std::size_t at = table.find("No case"), end = 0; at < table.size(); at = end + 1) {
    end = table.find('\n', at);
    EXPECT_LE(end - at, 98U) << table.substr(at, end - at);
  }
}

// A long reason is cut where good cases are folded, and whole with --all.
TEST(ReportTable, LongReasonsAreCutWhenFolded) {
  SweepResult result = good_sweep();
  for (CaseRecord& record : result.cases)
    record.why = std::string(150, 'y');
  EXPECT_THAT(to_table(result, Detail::folded, Colour::off),
              HasSubstr(" " + std::string(100, 'y') + "...\n"));
  EXPECT_THAT(to_table(result, Detail::everything, Colour::off),
              HasSubstr(" " + std::string(150, 'y') + "\n"));
}

// Quiet: nothing of a good sweep, of a bad one its findings and the sum.
TEST(ReportTable, FindingsAlone) {
  EXPECT_EQ(to_table(good_sweep(), Detail::findings, Colour::off), "");
  EXPECT_THAT(
      to_table(bad_sweep(), Detail::findings, Colour::off),
      AllOf(testing::StartsWith("bug: d.bad"), Not(HasSubstr("SITE")), HasSubstr("7 cases:")));
}

// A sweep that is not complete says so, and an empty one that there was nothing.
TEST(ReportTable, WhatIsMissingIsTold) {
  SweepResult result = good_sweep();
  result.sweep.cases = 10;
  EXPECT_THAT(to_table(result, Detail::folded, Colour::off),
              HasSubstr("7 of 10 cases were NOT run"));
  EXPECT_THAT(to_table(SweepResult{}, Detail::folded, Colour::off), HasSubstr("0 cases: no cases"));
}

// Colour comes only when asked for, and ends on each line; control characters of others never.
TEST(ReportTable, ColourIsTheCallersChoice) {
  const std::string plain = to_table(hostile_sweep(), Detail::everything, Colour::off);
  EXPECT_THAT(plain,
              AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\x07")), HasSubstr(R"(\x1b[31m)")));
  const std::string coloured = to_table(bad_sweep(), Detail::everything, Colour::on);
  EXPECT_THAT(coloured, AllOf(HasSubstr("\x1b[1;31mbug: d.bad:nth=1\x1b[0m\n")));
  std::string bare = coloured;
  for (std::size_t at = 0; (at = bare.find('\x1b')) != std::string::npos;)
    bare.erase(at, bare.find('m', at) - at + 1);
  EXPECT_EQ(bare, to_table(bad_sweep(), Detail::everything, Colour::off));
}

}  // namespace
}  // namespace pkvmemu::campaign
