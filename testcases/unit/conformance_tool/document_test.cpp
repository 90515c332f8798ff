// SPDX-License-Identifier: GPL-2.0-only
#include "document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pkvmemu::conformance {
namespace {

using pkvm::Generation;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view name = "Generations/Loading.Works/android14_6_1";

/// One row on 6.1 and 6.6; 6.6 has a reason.
Catalogue one_row() {
  Row row{.section = "3.2", .name = "first", .says = "one | two", .where = "rows.yaml:1"};
  row.exists = {true, true, false};
  row.untested[1] = "needs a GIC";
  return {.sections = {{.id = "3.2", .title = "steps"}}, .rows = {row}};
}

Evidence held(std::string row, Generation generation) {
  return {.program = "test_conformance",
          .test = std::string(name),
          .passed = true,
          .claims = {{.row = std::move(row), .generation = generation, .on_qemu = true}}};
}

// A test on one generation, a reason on the next, no row on the third: nothing to say.
TEST(Problems, AreNoneWhenEachGenerationHasATestOrAReason) {
  const std::vector evidence{held("3.2/first", Generation::android14_6_1)};
  EXPECT_THAT(find_problems(one_row(), evidence), IsEmpty());
}

// Bad twins: no test; a test that failed; a test beside a reason; a row that is not there; a
// generation that does not have the row.
TEST(Problems, AreTold) {
  EXPECT_THAT(find_problems(one_row(), {}),
              ElementsAre(HasSubstr("3.2/first: neither a test nor a reason on android14-6.1")));

  std::vector evidence{held("3.2/first", Generation::android14_6_1)};
  evidence[0].passed = false;
  EXPECT_THAT(find_problems(one_row(), evidence), ElementsAre(HasSubstr("did not pass")));

  evidence = {held("3.2/first", Generation::android14_6_1),
              held("3.2/first", Generation::android15_6_6)};
  EXPECT_THAT(find_problems(one_row(), evidence), ElementsAre(HasSubstr("reason has to go")));

  evidence = {held("3.2/first", Generation::android14_6_1),
              held("3.2/second", Generation::android14_6_1)};
  EXPECT_THAT(find_problems(one_row(), evidence),
              ElementsAre(HasSubstr("3.2/second: no such row, but conformance: Loading.Works")));

  evidence = {held("3.2/first", Generation::android14_6_1),
              held("3.2/first", Generation::android16_6_12)};
  EXPECT_THAT(find_problems(one_row(), evidence), ElementsAre(HasSubstr("has no such row")));
}

// The document has the row with its test, its reason, and a dash; bars do not end a cell.
TEST(Document, HasTestReasonAndDash) {
  const std::vector evidence{held("3.2/first", Generation::android14_6_1)};
  const std::string text = write_document(one_row(), evidence);
  EXPECT_THAT(text, HasSubstr("## 3.2: steps\n"));
  EXPECT_THAT(text, HasSubstr("| first | one \\| two | `conformance: Loading.Works` | both | "
                              "needs a GIC | – |\n"));
  EXPECT_THAT(text, HasSubstr("| 3.2 | steps | 1 of 1 | 0 of 1 | 0 of 0 |\n"));
}

// Names lose the generation and the instantiation, and nothing else.
TEST(Document, NamesTestsWithoutTheirGeneration) {
  EXPECT_EQ(display_name(name, Generation::android14_6_1), "Loading.Works");
  EXPECT_EQ(display_name("P/Rows.Hold/no_reloc_android15_6_6", Generation::android15_6_6),
            "Rows.Hold/no_reloc");
  EXPECT_EQ(display_name("Rows.Hold", Generation::android15_6_6), "Rows.Hold");
  EXPECT_EQ(display_name("Calls/All.Hold/Unregistered", Generation::android15_6_6),
            "All.Hold/Unregistered");
}

}  // namespace
}  // namespace pkvmemu::conformance
