// SPDX-License-Identifier: GPL-2.0-only
#include "scenario/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace pkvmemu::scenario {
namespace {

using pkvm::Generation;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Scenario parse(const std::string& text) {
  auto scenario = parse_scenario(text, "f.yaml");
  EXPECT_TRUE(scenario) << scenario.error().message;
  return scenario.value_or(Scenario{});
}

// A sentence is enough: nothing is loaded, and the run has to end well.
TEST(Scenario, ASentenceIsEnough) {
  const Scenario scenario = parse("scenario: It boots.\n");
  EXPECT_EQ(scenario.sentence, "It boots.");
  EXPECT_THAT(scenario.generations, IsEmpty());
  const auto expectations = expectations_of(scenario, Generation::android15_6_6);
  ASSERT_TRUE(expectations);
  ASSERT_THAT(*expectations, SizeIs(1));
  EXPECT_EQ(expectations->front().subject, "exit");
  EXPECT_EQ(expectations->front().expected, "good (0)");
}

// Every key is read into its place.
TEST(Scenario, EveryKeyIsRead) {
  const Scenario scenario = parse(R"(scenario: All of it.
generation: [android14-6.1, android16-6.12]
modules: [a.ko]
cmdline: a.b=1
faults: [hyp.donate, "load.symbol:nth=2"]
initramfs: r.cpio
firmware: Image
budget: 3M
as_shipped: true
no_iommu: yes
no_pvm: true
log_ops: true
trace_events: true
unresolved: stub
do: [call f]
expect: {exit: load_failed}
)");
  EXPECT_THAT(scenario.generations,
              ElementsAre(Generation::android14_6_1, Generation::android16_6_12));
  ASSERT_THAT(scenario.modules, SizeIs(1));
  EXPECT_EQ(scenario.modules[0].name, "a.ko");
  EXPECT_EQ(scenario.cmdline, "a.b=1");
  EXPECT_THAT(scenario.faults, ElementsAre("hyp.donate", "load.symbol:nth=2"));
  EXPECT_EQ(scenario.initramfs, "r.cpio");
  EXPECT_EQ(scenario.firmware, "Image");
  EXPECT_EQ(scenario.budget, "3M");
  EXPECT_TRUE(scenario.as_shipped && scenario.no_iommu && scenario.no_pvm && scenario.log_ops &&
              scenario.trace_events && scenario.stub_unresolved);
  EXPECT_THAT(scenario.wishes, SizeIs(1));
}

// `all` is each generation once.
TEST(Scenario, AllGenerations) {
  EXPECT_THAT(parse("scenario: s\ngeneration: all\n").generations, SizeIs(pkvm::generation_count));
}

// Code that stands in the file knows its line there, so that messages can name it.
TEST(Scenario, InlineCodeKnowsItsLine) {
  const Scenario scenario = parse(R"(scenario: s
modules:
  - name: m
    asm: |
      ret
  - name: n
    c: |
      INIT { return 0; }
    el1: |
      int x;
)");
  ASSERT_THAT(scenario.modules, SizeIs(2));
  EXPECT_EQ(scenario.modules[0].kind, ModuleKind::assembly);
  EXPECT_EQ(scenario.modules[0].el2.text, "ret\n");
  EXPECT_EQ(scenario.modules[0].el2.first_line, 5);
  EXPECT_EQ(scenario.modules[1].kind, ModuleKind::c);
  EXPECT_EQ(scenario.modules[1].el2.first_line, 8);
  ASSERT_TRUE(scenario.modules[1].el1);
  EXPECT_EQ(scenario.modules[1].el1->first_line, 10);
}

// What is to be done keeps its order; a line and a mapping say the same.
TEST(Scenario, WishesInTheirOrder) {
  const Scenario scenario = parse(R"(scenario: s
do:
  - early call f:1
  - touch: r:0x50000000
  - early late: m.ko
  - pvm:
)");
  ASSERT_THAT(scenario.wishes, SizeIs(4));
  EXPECT_EQ(scenario.wishes[0].verb, "call");
  EXPECT_EQ(scenario.wishes[0].phase, Phase::early);
  EXPECT_EQ(scenario.wishes[0].text, "f:1");
  EXPECT_EQ(scenario.wishes[1].verb, "touch");
  EXPECT_EQ(scenario.wishes[1].phase, Phase::normal);
  EXPECT_EQ(scenario.wishes[2].verb, "late");
  EXPECT_EQ(scenario.wishes[2].phase, Phase::early);
  EXPECT_EQ(scenario.wishes[3].text, "");
}

// A plan of faults stands in the scenario, as in a file of its own, or is the name of such a file.
TEST(Scenario, APlanOfFaults) {
  const Scenario here = parse(R"(scenario: s
plan:
  seed: 7
  faults:
    - {mmio: 0x09000018, answer: 0x20, nth: 2}
  expect: {fired: 1}
)");
  ASSERT_TRUE(here.plan);
  EXPECT_EQ(here.plan->seed, 7U);
  ASSERT_THAT(here.plan->faults, SizeIs(1));
  EXPECT_EQ(here.plan->faults[0].number, 0x0900'0018U);
  EXPECT_EQ(here.plan->faults[0].turn.nth, 2U);
  EXPECT_EQ(here.plan->faults[0].where, "f.yaml:5:7");
  EXPECT_THAT(here.plan->expected, SizeIs(1));
  EXPECT_FALSE(here.plan_file);
  const Scenario elsewhere = parse("scenario: s\nplan: faults/plan.yaml\n");
  EXPECT_EQ(elsewhere.plan_file, "faults/plan.yaml");
  EXPECT_FALSE(elsewhere.plan);
}

struct Mistake {
  std::string name;
  std::string text;
  std::string message;

  friend void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }
};

class Mistakes : public testing::TestWithParam<Mistake> {};

INSTANTIATE_TEST_SUITE_P(
    Scenario, Mistakes,
    testing::Values(
        Mistake{"NoSentence", "modules: []\n", "f.yaml:1:1: there is no 'scenario:'"},
        Mistake{"Nothing", "# only a comment\n", "there is nothing in it"},
        Mistake{"NoMapping", "- a\n", "f.yaml:1:1: a scenario: expected 'key: value' lines"},
        Mistake{"UnknownKey", "scenario: s\nmodule: x\n",
                "f.yaml:2:1: unknown key 'module' of a scenario; there are: scenario, generation, "
                "modules, "},
        Mistake{"KeyTwice", "scenario: s\nscenario: t\n", "f.yaml:2:1: 'scenario' is there twice"},
        Mistake{"TwoDocuments", "scenario: s\n---\nscenario: t\n", "a second document"},
        Mistake{"BrokenYaml", "scenario: [s\n", "f.yaml:2:1: "},
        Mistake{"UnknownGeneration", "scenario: s\ngeneration: android13\n",
                "f.yaml:2:13: expected android14-6.1, "},
        Mistake{"GenerationTwice", "scenario: s\ngeneration: [android14-6.1, android14-6.1]\n",
                "is there twice"},
        Mistake{"PlanIsAList", "scenario: s\nplan: [a]\n", "f.yaml:2:7: expected a text"},
        Mistake{"UnknownKeyOfAPlan", "scenario: s\nplan:\n  fault: []\n", "f.yaml:3:3: "},
        Mistake{"FaultAtTwoPlaces", "scenario: s\nplan:\n  faults:\n    - {site: a, smc: 1}\n",
                "f.yaml:4:7: expected one of site, at, "},
        Mistake{"ModuleWithoutCode", "scenario: s\nmodules:\n  - name: m\n",
                "f.yaml:3:5: a module that stands here needs a name, and asm or c"},
        Mistake{"ModuleOfTwoLanguages", "scenario: s\nmodules:\n  - {name: m, asm: x, c: y}\n",
                "of one language"},
        Mistake{"El1BesideAssembly", "scenario: s\nmodules:\n  - {name: m, asm: x, el1: y}\n",
                "el1 goes with c"},
        Mistake{"UnknownVerb", "scenario: s\ndo: [shout x]\n",
                "f.yaml:2:6: 'shout' is nothing that can be done; there are: call, hvc, "},
        Mistake{"UnknownVerbOfAMapping", "scenario: s\ndo:\n  - shout: x\n", "f.yaml:3:5: 'shout'"},
        Mistake{"TwoVerbs", "scenario: s\ndo:\n  - {call: f, smc: 1}\n", "one thing at a time"},
        Mistake{"UnknownExpectation", "scenario: s\nexpect: {exits: 0}\n",
                "f.yaml:2:10: unknown key 'exits' of expect; there are: exit, "},
        Mistake{"UnknownExitCode", "scenario: s\nexpect: {exit: 99}\n",
                "f.yaml:2:16: expected what a run ends with: good (0), "},
        Mistake{"UnknownState", "scenario: s\nexpect: {modules: {m: gone}}\n",
                "expected one of: loaded, failed, "},
        Mistake{"NoError", "scenario: s\nexpect: {modules: {m: {failed: EWHAT}}}\n",
                "expected an error, like ENOMEM"},
        Mistake{"UnknownRegister", "scenario: s\ndo:\n  - {call: f, expect: {x18: 1}}\n",
                "unknown key 'x18'"},
        Mistake{"NoNumber", "scenario: s\ndo:\n  - {call: f, expect: {x1: one}}\n",
                "f.yaml:3:28: expected a number"},
        Mistake{"TouchOfACall", "scenario: s\ndo:\n  - {touch: 'r:1', expect: {x0: 1}}\n",
                "unknown key 'x0' of a touch's expectations"},
        Mistake{"UnknownGenerationOfIn", "scenario: s\nexpect: {in: {android13: {exit: 0}}}\n",
                "f.yaml:2:15: expected a generation"},
        Mistake{"MistakeInsideIn", "scenario: s\nexpect: {in: {android14-6.1: {exits: 0}}}\n",
                "unknown key 'exits'"}),
    [](const testing::TestParamInfo<Mistake>& info) { return info.param.name; });

// Each mistake is told with file, line and column, and with what there is instead.
TEST_P(Mistakes, AreToldWithTheirPlace) {
  const auto scenario = parse_scenario(GetParam().text, "f.yaml");
  ASSERT_FALSE(scenario);
  EXPECT_THAT(scenario.error().message, HasSubstr(GetParam().message));
}

}  // namespace
}  // namespace pkvmemu::scenario
