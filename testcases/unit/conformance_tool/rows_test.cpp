// SPDX-License-Identifier: GPL-2.0-only
#include "rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/emulator.h"
#include "support/file.h"

namespace pkvmemu::conformance {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view sections =
    "- {section: '1.6', title: ops}\n- {section: '3.2', title: steps}\n";

Result<Catalogue> read_rows(std::string_view rows) {
  const test::ScratchDirectory folder;
  EXPECT_TRUE(write_file(folder.path() / "sections.yaml", sections));
  EXPECT_TRUE(write_file(folder.path() / "rows.yaml", rows));
  return read_catalogue(folder.path());
}

// An entry without `in` is there on every generation, and without `untested` wants a test on each.
TEST(Rows, AreOnEveryGenerationUnlessTheySayWhichOnes) {
  const auto catalogue = read_rows(
      "- row: 3.2/first\n  says: one\n"
      "- row: 3.2/second.part\n  says: two\n  in: [android16-6.12]\n  untested: not yet\n");
  ASSERT_TRUE(catalogue) << catalogue.error().message;
  ASSERT_EQ(catalogue->rows.size(), 2U);
  EXPECT_THAT(catalogue->rows[0].exists, ElementsAre(true, true, true));
  EXPECT_THAT(catalogue->rows[0].untested, ElementsAre("", "", ""));
  EXPECT_EQ(catalogue->rows[1].id(), "3.2/second.part");
  EXPECT_THAT(catalogue->rows[1].exists, ElementsAre(false, false, true));
  EXPECT_THAT(catalogue->rows[1].untested, ElementsAre("", "", "not yet"));
}

// Reasons may differ by generation.
TEST(Rows, HaveAReasonForEachGeneration) {
  const auto catalogue =
      read_rows("- row: 3.2/first\n  says: one\n  untested: {android14-6.1: no driver}\n");
  ASSERT_TRUE(catalogue) << catalogue.error().message;
  EXPECT_THAT(catalogue->rows[0].untested, ElementsAre("no driver", "", ""));
}

// Every operation that the firmware has wants a row of its own on each generation that has it.
TEST(Rows, OpsWithoutRowsAreTold) {
  const auto catalogue =
      read_rows("- row: 1.6/puts.bytes\n  says: one\n  in: [android15-6.6, android16-6.12]\n");
  ASSERT_TRUE(catalogue) << catalogue.error().message;
  const auto missing = ops_without_rows(*catalogue);
  EXPECT_THAT(missing, Contains(HasSubstr("1.6/puts: no row on android14-6.1")));
  EXPECT_THAT(missing, Not(Contains(HasSubstr("1.6/puts: no row on android15-6.6"))));
  EXPECT_THAT(missing, Contains(HasSubstr("1.6/putc: no row on android16-6.12")));
  EXPECT_THAT(missing, Not(Contains(HasSubstr("1.6/putc: no row on android14-6.1"))));
}

// Bad twins: each mistake is told with its file and line.
TEST(Rows, MistakesAreToldWithTheirLine) {
  struct Mistake {
    std::string_view rows;
    std::string_view message;
  };
  for (const Mistake& mistake : {
           Mistake{"- row: 3.2/first\n", "rows.yaml:1: the entry has no 'says'"},
           Mistake{"- row: first\n  says: one\n", "rows.yaml:1: 'first' is not of the form"},
           Mistake{"- row: 9.9/first\n  says: one\n", "section 9.9 of 9.9/first is not in"},
           Mistake{"- row: 3.2/first\n  says: one\n  reason: x\n", "rows.yaml:3: unknown key"},
           Mistake{"- row: 3.2/first\n  says: one\n  in: [6.1]\n", "rows.yaml:3: not a generation"},
           Mistake{"- row: 3.2/first\n  says: one\n  in: [android14-6.1]\n"
                   "  untested: {android15-6.6: x}\n",
                   "rows.yaml:4: a reason for a generation that does not have the row"},
           Mistake{"- row: 3.2/first\n  says: one\n- row: 3.2/first\n  says: one\n",
                   "rows.yaml:3: 3.2/first is there twice"},
           Mistake{"- row: 1.6/memcpy_memset\n  says: one\n",
                   "rows.yaml:1: android14-6.1 has no operation memcpy_memset"},
           Mistake{"- row: 1.6/putc.one\n  says: one\n",
                   "rows.yaml:1: android14-6.1 has no operation putc"},
           Mistake{"- row: [\n", "rows.yaml:"},
       }) {
    const auto catalogue = read_rows(mistake.rows);
    ASSERT_FALSE(catalogue) << mistake.rows;
    EXPECT_THAT(catalogue.error().message, HasSubstr(mistake.message));
  }
}

}  // namespace
}  // namespace pkvmemu::conformance
