// SPDX-License-Identifier: GPL-2.0-only
// JUnit, TAP and JSON lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>

#include "campaign/report_junit.h"
#include "campaign/report_lines.h"
#include "campaign/report_tap.h"
#include "harness/sample_sweep.h"
#include "unit/campaign/markup.h"
#include "unit/campaign/small_sweep.h"

namespace pkvmemu::campaign {
namespace {

using test::bad_sweep;
using test::good_sweep;
using test::hostile_sweep;
using test::markup_problem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// The checker itself finds what it is there for.
TEST(Markup, ProblemsAreFound) {
  EXPECT_EQ(markup_problem("<?xml ?><a b=\"c > d\"><br><e/>x &amp; y</a>"), "");
  for (const char* bad : {"<a>", "<a></b>", "</a>", "<a>&</a>", "<a>></a>", "<a b=\"<\"></a>",
                          "<a b=\"&\"></a>", "<a>\x1b</a>", "<a"})
    EXPECT_NE(markup_problem(bad), "") << bad;
}

// An expected error passes: a good sweep has neither failures nor errors.
TEST(ReportJunit, AGoodSweepPasses) {
  const std::string xml = to_junit(good_sweep());
  EXPECT_EQ(markup_problem(xml), "") << xml;
  EXPECT_THAT(xml, AllOf(HasSubstr("tests=\"3\" failures=\"0\" errors=\"0\""),
                         HasSubstr("<testcase classname=\"a.give\" name=\"a.give:nth=1\" "
                                   "time=\"0\"/>"),
                         HasSubstr("name=\"site-not-reached\" value=\"c.never\""),
                         Not(HasSubstr("<failure")), Not(HasSubstr("<error"))));
}

// A bug, a panic and a hang are failures, a lost case is an error, each with all that is known.
TEST(ReportJunit, FindingsFail) {
  const std::string xml = to_junit(bad_sweep());
  EXPECT_EQ(markup_problem(xml), "") << xml;
  EXPECT_THAT(
      xml,
      AllOf(HasSubstr("tests=\"7\" failures=\"3\" errors=\"1\""),
            HasSubstr("<failure type=\"bug\" message=\"2 pages leaked\">pages-leaked: 0x50000"),
            HasSubstr("<failure type=\"panic\""), HasSubstr("<failure type=\"hang\""),
            HasSubstr("<error type=\"lost\" message=\"killed by signal 9\">"),
            HasSubstr("replay: pkvm-emu sweep &#39;my hello.ko&#39; --replay d.bad:nth=1"),
            HasSubstr("<system-out>console:\n  first line\n  last line\n</system-out>")));
}

// Whatever guests and files are called, it stays XML.
TEST(ReportJunit, NothingSpoilsIt) {
  for (const SweepResult& result : {hostile_sweep(), SweepResult{}}) {
    const std::string xml = to_junit(result);
    EXPECT_EQ(markup_problem(xml), "") << xml;
  }
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// The first YAML block of a TAP stream, which stands two spaces in.
YAML::Node diagnostics_of(const std::string& tap) {
  std::string block;
  bool inside = false;
  for (const std::string& line : lines_of(tap)) {
    if (line == "  ...") break;
    if (inside) block += line.substr(2) + "\n";
    inside = inside || line == "  ---";
  }
  return YAML::Load(block);
}

// A plan, and a line for each case; expected errors are ok.
TEST(ReportTap, AGoodSweepIsOk) {
  EXPECT_EQ(to_tap(good_sweep()), R"(TAP version 14
# sweep of hello.ko on android15-6.6, once
1..3
ok 1 - a.give:nth=1: expected-error
ok 2 - a.give:nth=2: expected-error
ok 3 - b.take:nth=1: clean
# no case reached c.never: never comes
)");
}

// A finding is not ok, and its YAML block says all that is known.
TEST(ReportTap, AFindingHasDiagnostics) {
  const std::string tap = to_tap(bad_sweep());
  EXPECT_THAT(tap, AllOf(HasSubstr("\nnot ok 4 - d.bad:nth=1: bug\n  ---\n"),
                         HasSubstr("\nnot ok 7 - d.bad:nth=4: lost\n")));
  const YAML::Node yaml = diagnostics_of(tap);
  EXPECT_EQ(yaml["message"].as<std::string>(), "2 pages leaked");
  EXPECT_EQ(yaml["path"].as<std::vector<std::string>>(),
            (std::vector<std::string>{"callee+0x10 [hyp]", "caller+0x4 [host]"}));
  EXPECT_EQ(yaml["replay"].as<std::string>(), "pkvm-emu sweep 'my hello.ko' --replay d.bad:nth=1");
}

// Whatever guests and files are called: one line for each case, no directive that nobody meant, and
// YAML that says what was there.
TEST(ReportTap, NothingSpoilsIt) {
  const std::string tap = to_tap(hostile_sweep());
  const std::vector<std::string> lines = lines_of(tap);
  const auto is_case = [](const std::string& line) {
    return line.starts_with("ok ") || line.starts_with("not ok ");
  };
  EXPECT_EQ(std::ranges::count_if(lines, is_case), 6);
  for (const std::string& line : lines)
    if (is_case(line)) EXPECT_THAT(line, AllOf(HasSubstr("\\#"), Not(HasSubstr(" #"))));
  EXPECT_THAT(diagnostics_of(tap)["message"].as<std::string>(),
              StartsWith("<b>&\"'</script>]]>\\x1b"));
  EXPECT_EQ(to_tap(SweepResult{}),
            "TAP version 14\n# sweep of no module on , \n1..0 # SKIP no case was run\n");
}

// What is missing is told, since a harness sees only what is there.
TEST(ReportTap, MissingCasesAreTold) {
  SweepResult result = good_sweep();
  result.sweep.cases = 10;
  EXPECT_THAT(to_tap(result), HasSubstr("# 7 of 10 cases were not run\n"));
}

// JSON lines of a merge are records again, and merging them changes nothing.
TEST(ReportLines, AreRecordsAgain) {
  const SweepResult whole = test::sample_sweep(3, 50);
  const std::string text = to_lines(whole);
  const std::array files = {NamedText{.name = "merged", .text = text}};
  const auto again = merge(files);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, whole);
  EXPECT_EQ(to_lines(*again), text);
}

}  // namespace
}  // namespace pkvmemu::campaign
