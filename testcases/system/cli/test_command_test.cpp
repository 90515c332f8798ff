// SPDX-License-Identifier: GPL-2.0-only
// `pkvm-emu test` as a user meets it: what it tells of good and bad scenarios, exit codes, reports,
// and that neither a crash nor Ctrl-C takes results away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/emulator.h"

namespace pkvmemu::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const std::string binary = PKVMEMU_BUILD_DIR "/bin/pkvm-emu";

constexpr const char* good = R"(scenario: It adds.
modules: [hello.ko]
do:
  - call: hello_hvc:1,2
    expect: {x1: 3}
)";
constexpr const char* bad = R"(scenario: It multiplies.
modules: [hello.ko]
do:
  - call: hello_hvc:1,2
    expect: {x1: 2}
)";

class TestCommand : public testing::Test {
 protected:
  std::string put(const std::string& name, const std::string& content) {
    const auto path = folder_.path() / name;
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
  }
  [[nodiscard]] std::string content_of(const std::string& name) const {
    std::ifstream file(folder_.path() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] std::string folder() const { return folder_.path().string(); }

  static ProcessResult test(Arguments arguments) {
    arguments.insert(arguments.begin(),
                     {binary, "test", "--modules", PKVMEMU_BUILD_DIR "/modules"});
    return run_process(arguments);
  }

 private:
  ScratchDirectory folder_;
};

// A good scenario is a line, a summary and code 0; quietly it is nothing.
TEST_F(TestCommand, AGoodScenario) {
  const std::string file = put("adds.yaml", good);
  const auto run = test({file});
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_EQ(run.out, "ok      adds [android15-6.6] It adds.\n1 scenario, 1 run: all ok\n");
  const auto quiet = test({"-q", file});
  EXPECT_EQ(quiet.exit_code, 0);
  EXPECT_THAT(quiet.out, IsEmpty());
}

// Of a bad one both sides are shown, with the place in the file and the verdict of the run.
TEST_F(TestCommand, ABadScenarioShowsBothSides) {
  const std::string file = put("multiplies.yaml", bad);
  const auto run = test({file});
  EXPECT_EQ(run.exit_code, 21) << run.out << run.err;
  EXPECT_THAT(run.out, AllOf(StartsWith("not ok  multiplies [android15-6.6] It multiplies.\n"),
                             HasSubstr(file + ":5:18: do 1 (call hello_hvc:1,2).x1\n"
                                              "    expected: 0x2 (2)\n    got:      0x3 (3)\n"),
                             HasSubstr("module hello: loaded"), HasSubstr("1 run: 1 not ok")));
}

// A folder is all scenarios in it, in the order of their names however many run at once; --filter
// picks, --list only tells.
TEST_F(TestCommand, Folders) {
  put("b.yaml", good);
  put("a.yaml", bad);
  put("notes.txt", "no scenario");
  for (const char* jobs : {"1", "4"}) {
    const auto run = test({folder(), "--jobs", jobs});
    EXPECT_EQ(run.exit_code, 21);
    EXPECT_LT(run.out.find("a [android"), run.out.find("b [android"));
  }
  EXPECT_EQ(test({folder(), "--filter", "b*"}).exit_code, 0);
  EXPECT_EQ(test({folder(), "--filter", "c*"}).exit_code, 2);
  const auto listed = test({folder(), "--list"});
  EXPECT_EQ(listed.exit_code, 0);
  EXPECT_THAT(listed.out,
              AllOf(HasSubstr("It adds."), HasSubstr("It multiplies."), Not(HasSubstr("summary"))));
}

// Mistakes in any file are told before anything runs, all of them.
TEST_F(TestCommand, MistakesAreToldFirst) {
  put("a.yaml", good);
  const std::string key = put("b.yaml", "scenario: s\nmodule: x\n");
  const std::string wish = put("c.yaml", "scenario: s\ndo: [call 15]\n");
  const auto run = test({folder()});
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_THAT(run.out, IsEmpty());
  EXPECT_THAT(run.err, AllOf(HasSubstr(key + ":2:1: unknown key 'module'"),
                             HasSubstr(wish + ":2:6: call: '15' is no id")));
  EXPECT_EQ(test({folder() + "/nosuch.yaml"}).exit_code, 3);
  EXPECT_EQ(test({"--jobs", "0", folder()}).exit_code, 2);
}

// A module that is nowhere fails its scenario, with the places that were looked at.
TEST_F(TestCommand, AModuleThatIsNowhere) {
  const auto run = test({put("a.yaml", "scenario: s\nmodules: [nosuch.ko]\n")});
  EXPECT_EQ(run.exit_code, 21);
  EXPECT_THAT(run.out, AllOf(HasSubstr("a.yaml:2:11: nosuch.ko: no such file; looked for "),
                             HasSubstr("modules/android15-6.6/nosuch.ko")));
}

// What the assembler and the compiler refuse is told with the scenario's own line.
TEST_F(TestCommand, MistakesInInlineCodeHaveTheirLine) {
  const auto assembly = test(
      {put("a.yaml", "scenario: s\nmodules:\n  - name: m\n    asm: |\n      nop\n      frob\n")});
  EXPECT_EQ(assembly.exit_code, 21);
  EXPECT_THAT(assembly.out, HasSubstr("a.yaml:6: unrecognized instruction"));
  const auto operation = test(
      {put("b.yaml",
           "scenario: s\nmodules:\n  - name: m\n    asm: |\n      ldr x1, [x0, #ops.frob]\n")});
  EXPECT_THAT(operation.out, HasSubstr("b.yaml:5: ops.frob: android15-6.6 has no such operation"));
  const auto c =
      test({put("c.yaml", "scenario: s\nmodules:\n  - name: m\n    c: |\n      frob\n")});
  EXPECT_EQ(c.exit_code, 21);
  EXPECT_THAT(c.out, HasSubstr("c.yaml:5:"));
}

// The reports have the same results in their own forms.
TEST_F(TestCommand, Reports) {
  put("a.yaml", good);
  put("b.yaml", bad);
  const std::string to = folder() + "/";
  const auto run =
      test({folder(), "--json", to + "r.json", "--junit", to + "r.xml", "--tap", to + "r.tap"});
  EXPECT_EQ(run.exit_code, 21);
  const auto json = nlohmann::json::parse(content_of("r.json"));
  ASSERT_EQ(json.at("runs").size(), 2U);
  EXPECT_TRUE(json.at("runs").at(0).at("ok").get<bool>());
  EXPECT_EQ(json.at("runs").at(1).at("mismatches").at(0).at("got"), "0x3 (3)");
  EXPECT_THAT(content_of("r.xml"), AllOf(HasSubstr("tests=\"2\" failures=\"1\""),
                                         HasSubstr("<failure message=\"It multiplies.\">")));
  EXPECT_THAT(content_of("r.tap"),
              AllOf(StartsWith("TAP version 13\n1..2\nok 1 - a [android15-6.6] It adds.\n"),
                    HasSubstr("\nnot ok 2 - b [android15-6.6]")));
  EXPECT_EQ(test({to + "a.yaml", "--json", to + "a.yaml"}).exit_code, 2);  // an input
}

// Ctrl-C ends what runs, tells it, and keeps what there was. The first line shows that the
// scenario behind it has begun.
TEST_F(TestCommand, CtrlCKeepsResults) {
  put("a.yaml", good);
  put("b.yaml",
      "scenario: It never ends.\nmodules:\n  - name: spin\n    asm: |\n      init\n        b .\n"
      "budget: 1000000G\n");
  const auto run = run_process(
      {"sh", "-c",
       "'" + binary + "' test --jobs 1 --modules '" PKVMEMU_BUILD_DIR "/modules' --json '" +
           folder() + "/r.json' '" + folder() + "' > '" + folder() +
           "/out' & child=$!; until grep -q '^ok' '" + folder() +
           "/out'; do :; done; kill -INT $child; wait $child"});
  EXPECT_EQ(run.exit_code, 130) << run.err;
  EXPECT_THAT(content_of("out"), HasSubstr("ok      a [android15-6.6]"));
  EXPECT_TRUE(nlohmann::json::parse(content_of("r.json")).at("runs").at(0).at("ok").get<bool>());
}

}  // namespace
}  // namespace pkvmemu::test
