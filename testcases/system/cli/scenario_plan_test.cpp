// SPDX-License-Identifier: GPL-2.0-only
// Plans of faults in scenarios: in a file beside it or in the scenario itself, with mistakes and
// broken expectations told at their place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "harness/emulator.h"

namespace pkvmemu::test {
namespace {

using testing::HasSubstr;

class ScenarioPlan : public testing::Test {
 protected:
  std::string put(const std::string& name, const std::string& content) {
    const auto path = folder_.path() / name;
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
  }
  static ProcessResult test(const std::string& file) {
    return run_process({PKVMEMU_BUILD_DIR "/bin/pkvm-emu", "test", "--modules",
                        PKVMEMU_BUILD_DIR "/modules", file});
  }

 private:
  ScratchDirectory folder_;
};

constexpr const char* wanted =
    "expect: {exit: load_failed, modules: {hello: {failed: EPERM}}, faults: {hyp.donate: 1}}\n";

// The same plan in a file beside the scenario and in the scenario makes the same of the run;
// without it neither holds.
TEST_F(ScenarioPlan, OfAFileOrItsOwn) {
  const std::string head = "scenario: A donation fails.\nmodules: [hello.ko]\n";
  put("faults.yaml", "faults:\n  - {site: hyp.donate, return: EPERM}\n");
  const auto elsewhere = test(put("elsewhere.yaml", head + "plan: faults.yaml\n" + wanted));
  EXPECT_EQ(elsewhere.exit_code, 0) << elsewhere.out << elsewhere.err;
  const auto here = test(put(
      "here.yaml", head + "plan:\n  faults:\n    - {site: hyp.donate, return: EPERM}\n" + wanted));
  EXPECT_EQ(here.exit_code, 0) << here.out << here.err;
  const auto without = test(put("without.yaml", head + wanted));
  EXPECT_EQ(without.exit_code, 21) << without.out;
}

// What the plan expects decides the run's exit code, and is told with its line when it is not so.
TEST_F(ScenarioPlan, ItsExpectationsDecide) {
  const std::string text =
      "scenario: It fails.\nmodules: [hello.ko]\nplan:\n  expect: {loads: failed}\n";
  const std::string file = put("fails.yaml", text);
  const auto bad = test(file);
  EXPECT_EQ(bad.exit_code, 21);
  EXPECT_THAT(bad.out, HasSubstr("got:      unexpected (16)"));
  EXPECT_THAT(bad.out,
              HasSubstr("expected loads: failed: NOT so (" + file + ":4:19), found: loaded"));
  const auto known = test(put("known.yaml", text + "expect: {exit: unexpected}\n"));
  EXPECT_EQ(known.exit_code, 0) << known.out;
}

// A name that nothing in the guest has, and a file that is not there, are told with their place.
TEST_F(ScenarioPlan, MistakesHaveTheirPlace) {
  const std::string file = put(
      "site.yaml", "scenario: s\nmodules: [hello.ko]\nplan:\n  faults:\n    - {site: no.such}\n");
  const auto site = test(file);
  EXPECT_EQ(site.exit_code, 21);
  EXPECT_THAT(site.out, HasSubstr(file + ":5:7: no fault site 'no.such'"));
  const std::string lost = put("lost.yaml", "scenario: s\nplan: nosuch.yaml\n");
  EXPECT_THAT(test(lost).out, HasSubstr(lost + ":2:7: nosuch.yaml: no such file; looked for "));
}

}  // namespace
}  // namespace pkvmemu::test
