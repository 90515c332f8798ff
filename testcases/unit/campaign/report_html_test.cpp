// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/report_html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "fault/fault.h"
#include "harness/sample_sweep.h"
#include "unit/campaign/markup.h"
#include "unit/campaign/small_sweep.h"

namespace pkvmemu::campaign {
namespace {

using test::bad_sweep;
using test::good_sweep;
using test::hostile_sweep;
using test::markup_problem;
using test::small_sweep;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::multiset<std::string> all_matches(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  std::multiset<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at)
    found.insert((*at)[1].str());
  return found;
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

// The page is well formed, and each cell of it leads to its case, which stands there once: in a
// large sweep, a small one, one of pairs, an empty one.
TEST(ReportHtml, EveryCellLeadsToItsCase) {
  SweepResult pairs = bad_sweep();
  for (CaseRecord& record : pairs.cases)
    record.faults.push_back(test::fault_at("z.second", 1, -5));
  for (const SweepResult& result :
       {test::sample_sweep(1, 400), good_sweep(), bad_sweep(), pairs, SweepResult{}}) {
    const std::string page = to_html(result);
    EXPECT_EQ(markup_problem(page), "");
    const auto ids = all_matches(page, "id=\"(case-[0-9]+)\"");
    const auto links = all_matches(page, "href=\"#(case-[0-9]+)\"");
    EXPECT_EQ(ids.size(), result.cases.size());
    EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), ids.size());
    for (const std::string& link : links)
      EXPECT_TRUE(ids.contains(link)) << link;
  }
}

// Nothing is fetched: no address, no source, and a policy that forbids it to whatever gets in.
TEST(ReportHtml, NothingIsFetched) {
  const std::string page = to_html(test::sample_sweep(2, 100));
  EXPECT_THAT(page, AllOf(HasSubstr("default-src 'none'"), Not(HasSubstr("http://")),
                          Not(HasSubstr("https://")), Not(HasSubstr(" src=")),
                          Not(HasSubstr("url(")), Not(HasSubstr("@import"))));
}

// What guests and files are called is text, never markup, script or an end of one.
TEST(ReportHtml, NothingSpoilsIt) {
  const std::string page = to_html(hostile_sweep());
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(
      page, AllOf(Not(HasSubstr("<b>&\"")), HasSubstr("&lt;b&gt;&amp;&quot;&#39;&lt;/script&gt;")));
  EXPECT_EQ(count_of(page, "</script>"), 1U);
}

// A finding has its log, code, call path and replay command; a good case a row.
TEST(ReportHtml, AFindingHasAllThatIsKnown) {
  const std::string page = to_html(bad_sweep());
  EXPECT_THAT(page, AllOf(HasSubstr("<b>pages-leaked</b> 0x50000, 0x50001"),
                          HasSubstr("<pre>first line\nlast line\n</pre>"),
                          HasSubstr("<pre>&gt; 0x8: mov x0, xzr\n</pre>"),
                          HasSubstr("<li><code>callee+0x10 [hyp]</code></li>"),
                          HasSubstr("--replay d.bad:nth=1</pre>")));
  EXPECT_EQ(count_of(page, "<details id="), 4U);
  EXPECT_EQ(count_of(page, "<tr id=\"case-"), 3U);
  EXPECT_THAT(page, HasSubstr(">4 findings <span>in 7 cases</span>"));
  EXPECT_THAT(to_html(good_sweep()), AllOf(HasSubstr(">No findings <span>in 3 cases</span>"),
                                           Not(HasSubstr("id=\"findings\""))));
}

// A cell says in words what its colour and symbol say; an occurrence that was not run has one, too.
TEST(ReportHtml, CellsHaveTextAlternatives) {
  const std::string page = to_html(bad_sweep());
  EXPECT_THAT(page, AllOf(HasSubstr("aria-label=\"1: bug\">✗</a>"),
                          HasSubstr("aria-label=\"2: expected-error\">✓</a>"),
                          HasSubstr("title=\"d.bad:nth=2: panic: BRK\""),
                          HasSubstr("<span class=\"cell not-run\" title=\"3: not run\">")));
}

// Once and from then on are two rows of one site; many that were not run are one cell, however many
// a file says there are.
TEST(ReportHtml, RowsOfASite) {
  SweepResult result = good_sweep();
  result.sweep.occurrences["a.give"] = ~std::uint64_t{0};
  result.cases.push_back(result.cases.front());
  result.cases.back().faults.front().times = fault::every_time;
  const std::string page = to_html(result);
  EXPECT_THAT(page,
              AllOf(HasSubstr("rowspan=\"2\"><code>a.give</code><small>gives</small>"),
                    HasSubstr("<td>from then on</td>"), HasSubstr("18446744073709551613 not run")));
  EXPECT_LT(page.size(), 50'000U);
}

// Sites that no case reached are listed with their meanings, and what is missing is told.
TEST(ReportHtml, WhatIsMissingIsTold) {
  SweepResult result = good_sweep();
  EXPECT_THAT(to_html(result), AllOf(HasSubstr("Sites that no case reached <small>1</small>"),
                                     HasSubstr("<code>c.never</code></th><td>never comes</td>"),
                                     Not(HasSubstr("were not run"))));
  result.sweep.cases = 10;
  EXPECT_THAT(to_html(result), HasSubstr("<b>7 of 10 cases were not run</b>"));
  EXPECT_THAT(to_html(small_sweep()), HasSubstr("Nothing was run"));
}

// Pairs have a matrix of their own: the first site's row, the second's column.
TEST(ReportHtml, PairsHaveTheirOwnMatrix) {
  SweepResult result = good_sweep();
  result.cases.at(0).faults.push_back(test::fault_at("z.second", 1, -5));
  result.cases.at(1).faults.push_back(test::fault_at("z.second", 2, -5));
  result.cases.at(1).outcome = Outcome::hang;
  const std::string page = to_html(result);
  EXPECT_THAT(page, AllOf(HasSubstr("<th scope=\"col\"><code>z.second</code></th>"),
                          HasSubstr("aria-label=\"z.second, worst of 2: hang\">")));
  EXPECT_THAT(to_html(good_sweep()), Not(HasSubstr("id=\"pairs\"")));
}

}  // namespace
}  // namespace pkvmemu::campaign
