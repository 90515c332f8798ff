// SPDX-License-Identifier: GPL-2.0-only
// Each kind of expectation is met by the run that it describes, and fails on another one with both
// sides shown.
#include "scenario/expectation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "scenario/scenario.h"

namespace pkvmemu::scenario {
namespace {

using observe::RunReport;
using pkvm::Generation;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

observe::ModuleReport loaded_hello() {
  observe::ModuleReport module;
  module.name = "hello";
  module.state = observe::LoadState::loaded;
  module.handlers = {{.symbol = "hello_hvc", .id = 128}};
  return module;
}

observe::ModuleReport failed_foo() {
  observe::ModuleReport module;
  module.name = "foo";
  module.state = observe::LoadState::failed;
  module.error = -12;
  module.step = pkvm::event::Step::init_module;
  return module;
}

observe::CallReport good_call() {
  observe::CallReport call;
  call.name = "hello_hvc";
  call.state = observe::CallState::good;
  call.result = {0, 42, 0xffff'ffff'ffff'ffea, 3, 4, 5, 6, 7};
  return call;
}

observe::CallReport missed_call() {
  observe::CallReport call;
  call.name = "bar";
  call.state = observe::CallState::not_made;
  call.reason = "nobody has it";
  return call;
}

/// A run with something of everything in it.
RunReport eventful_run() {
  RunReport report;
  report.exit_code = observe::ExitCode::hyp_panic;
  report.exit.reason = machine::ExitReason::powered_off;
  report.modules = {loaded_hello(), failed_foo()};
  report.calls = {good_call(), missed_call()};
  report.touches = {
      {.name = "r:0x1000", .state = observe::TouchState::done, .value = 0x1234},
      {.name = "r:0x2000", .state = observe::TouchState::aborted, .esr = 0x97, .far = 0x2000}};
  report.guests = {{.name = "hello",
                    .number = 1,
                    .is_protected = true,
                    .ended = true,
                    .ran = true,
                    .steps = {{.what = "create", .answer = 0}, {.what = "run", .answer = -14}},
                    .console = {"pvmfw: running", "hello from a guest"}}};
  report.attacks = {{.name = "map-far", .ended = true, .as_specified = true},
                    {.name = "read-secret", .ended = true, .wrong = "it read 7"}};
  report.faults = {{.site = "hyp.donate", .reached = 3, .fired = 1}};
  report.ops = {{.name = "puts", .arguments = {"s=0x1"}, .result = "", .where = "f+0x4 [hello]"}};
  report.trace_events = {{.name = "sum", .text = "a=1"}};
  report.missing_ops = {{.name = "fancy"}};
  report.defects = {{.name = "odd-defect", .reproduced = true}};
  report.stub_uses = {{.symbol = "clk_get", .count = 2}};
  report.hyp_panic = observe::HypPanic{.esr = 0xf2000800, .far = 0x10};
  report.host_panic = "HYP panic";
  report.deprivileged = true;
  report.protected_vms = {.state = observe::Availability::not_available, .reason = "hyp panic; x"};
  report.console = "boot\r\nnVHE hyp panic at: [<1>] f+0x4 [hello]\r\n";
  return report;
}

std::vector<Mismatch> mismatches(const std::string& yaml,
                                 Generation generation = Generation::android15_6_6) {
  const auto scenario = parse_scenario("scenario: s\n" + yaml, "f.yaml");
  EXPECT_TRUE(scenario) << scenario.error().message << "\n" << yaml;
  if (!scenario) return {};
  const auto expectations = expectations_of(*scenario, generation);
  EXPECT_TRUE(expectations);
  const RunReport report = eventful_run();
  return check(*expectations, {.report = report, .verdict = {"module hello: loaded", "bad end"}});
}

struct Twin {
  std::string name;
  std::string good;  ///< under `expect:`, or whole lines
  std::string bad;
  std::string expected;  ///< part of the two sides that the bad one shows
  std::string got;

  friend void PrintTo(const Twin& twin, std::ostream* out) { *out << twin.name; }
};

class Twins : public testing::TestWithParam<Twin> {};

INSTANTIATE_TEST_SUITE_P(
    Run, Twins,
    testing::Values(
        Twin{"Exit", "exit: 12", "exit: good", "good (0)", "hyp_panic (12)"},
        Twin{"End", "end: powered-off", "end: wedged", "wedged", "powered-off"},
        Twin{"Module", "modules: {hello: loaded}", "modules: {hello: failed}", "failed", "loaded"},
        Twin{"ModuleError", "modules: {foo: {failed: ENOMEM}}", "modules: {foo: {failed: EBUSY}}",
             "-16 (EBUSY)", "-12 (ENOMEM)"},
        Twin{"ModuleStep", "modules: {foo: {step: init-module}}",
             "modules: {foo: {step: relocate}}", "relocate", "init-module"},
        Twin{"ModuleReason", "modules: {foo: {reason: init returned}}",
             "modules: {foo: {reason: no such file}}", "no such file", "init returned -12"},
        Twin{"ModuleHvc", "modules: {hello: {hvc: [128]}}", "modules: {hello: {hvc: [128, 129]}}",
             "128, 129", "128"},
        Twin{"NoSuchModule", "modules: {foo: failed}", "modules: {bar: failed}", "failed",
             "no module of this name"},
        Twin{"Guest", "guests: {hello: {ran: true}}", "guests: {hello: {ran: false}}", "false",
             "true"},
        Twin{"GuestStep", "guests: {hello: {steps: {run: EFAULT}}}",
             "guests: {hello: {steps: {run: 0}}}", "0", "-14 (EFAULT)"},
        Twin{"GuestConsole", "guests: {hello: {console: pvmfw}}",
             "guests: {hello: {console: [pvmfw, bye]}}", "bye", "hello from a guest"},
        Twin{"GuestConsoleLacks", "guests: {hello: {console_lacks: bye}}",
             "guests: {hello: {console_lacks: pvmfw}}", "no line with 'pvmfw'", "pvmfw: running"},
        Twin{"NoSuchGuest", "guests: {hello: {ran: true}}", "guests: {bye: {ran: true}}", "true",
             "no such guest"},
        Twin{"ProtectedVms", "protected_vms: not_available", "protected_vms: available",
             "available", "not_available: hyp panic; x"},
        Twin{"ProtectedVmsReason", "protected_vms: {not_available: hyp panic}",
             "protected_vms: {not_available: wiped}", "wiped", "hyp panic; x"},
        Twin{"Deprivileged", "deprivileged: true", "deprivileged: false", "false", "true"},
        Twin{"HypPanic", "hyp_panic: BRK", "hyp_panic: none", "none", "BRK #0x800"},
        Twin{"HypPanicPlace", "hyp_panic: {at: 'f+0x4 [hello]'}", "hyp_panic: {at: g+0x4}", "g+0x4",
             "f+0x4 [hello]"},
        Twin{"HypPanicNumbers", "hyp_panic: {esr: 0xf2000800, far: 16}",
             "hyp_panic: {esr: 0xf2000800, far: 0}", "0x0 (0)", "0x10 (16)"},
        Twin{"HostPanic", "host_panic: HYP", "host_panic: none", "none", "HYP panic"},
        Twin{"Faults", "faults: {hyp.donate: 1}", "faults: {hyp.donate: {reached: 2, fired: 1}}",
             "2", "3"},
        Twin{"NoSuchFault", "faults: {hyp.donate: 1}", "faults: {hyp.share: 1}", "1",
             "no such fault"},
        Twin{"Verdict", "verdict: [hello, bad end]", "verdict: good end", "good end", "bad end"},
        Twin{"VerdictLacks", "verdict_lacks: good end", "verdict_lacks: hello", "no line with",
             "module hello: loaded"},
        Twin{"Console", "console: boot", "console: shoot", "shoot", "boot"},
        Twin{"ConsoleLacks", "console_lacks: shoot", "console_lacks: boot", "no line with", "boot"},
        Twin{"Defects", "defects: odd-defect reproduced", "defects: odd-defect avoided", "avoided",
             "reproduced"},
        Twin{"MissingOps", "missing_ops: fancy", "missing_ops: plain", "plain", "fancy"},
        Twin{"Stubs", "stubs: 'clk_get: 2'", "stubs: 'clk_get: 3'", "clk_get: 3", "clk_get: 2"},
        Twin{"Ops", "ops: puts(s=0x1)", "ops: putc", "putc", "op puts(s=0x1)"},
        Twin{"Events", "events: 'sum: a=1'", "events: 'sum: a=2'", "a=2", "sum: a=1"}),
    [](const testing::TestParamInfo<Twin>& info) { return info.param.name; });

// What the run came to is accepted; anything else is shown with both sides, and its place.
TEST_P(Twins, AreToldApart) {
  const std::string exit = GetParam().name == "Exit" ? "" : "  exit: hyp_panic\n";
  EXPECT_THAT(mismatches("expect:\n" + exit + "  " + GetParam().good + "\n"), IsEmpty());
  const auto bad = mismatches("expect:\n" + exit + "  " + GetParam().bad + "\n");
  ASSERT_THAT(bad, SizeIs(1));
  EXPECT_THAT(bad[0].expected, HasSubstr(GetParam().expected));
  EXPECT_THAT(bad[0].got, HasSubstr(GetParam().got));
  EXPECT_EQ(bad[0].at.line, exit.empty() ? 3 : 4);
  EXPECT_GT(bad[0].at.column, 1);
}

class WishTwins : public testing::TestWithParam<Twin> {};

INSTANTIATE_TEST_SUITE_P(
    Run, WishTwins,
    testing::Values(Twin{"Register", "{call: hello_hvc, expect: {x0: 0, x1: 42}}",
                         "{call: hello_hvc, expect: {x0: 0, x1: 43}}", "0x2b (43)", "0x2a (42)"},
                    Twin{"RegisterAsError", "{call: hello_hvc, expect: {x2: EINVAL}}",
                         "{call: hello_hvc, expect: {x2: EPERM}}", "(-1)", "(-22)"},
                    Twin{"CallState", "{call: hello_hvc, expect: good}",
                         "{call: hello_hvc, expect: ended}", "ended", "good"},
                    Twin{"RegisterOfNoCall", "{call: hello_hvc, expect: {x7: 7}}",
                         "{call: bar, expect: {x7: 7}}", "0x7", "not_made"}),
    [](const testing::TestParamInfo<Twin>& info) { return info.param.name; });

// Results stand beside what is done. `bar` is the second call: it comes behind another one.
TEST_P(WishTwins, AreToldApart) {
  const std::string end = "expect: {exit: 12}\n";
  EXPECT_THAT(mismatches(end + "do:\n  - " + GetParam().good + "\n"), IsEmpty());
  const std::string before = GetParam().bad.contains("bar") ? "  - call hello_hvc\n" : "";
  const auto bad = mismatches(end + "do:\n" + before + "  - " + GetParam().bad + "\n");
  ASSERT_THAT(bad, SizeIs(1));
  EXPECT_THAT(bad[0].expected, HasSubstr(GetParam().expected));
  EXPECT_THAT(bad[0].got, HasSubstr(GetParam().got));
}

// Of each kind the results are counted by themselves, early ones first.
TEST(WishResults, AreFoundByTheirOrder) {
  EXPECT_THAT(mismatches(R"(expect: {exit: 12}
do:
  - {call: bar, expect: {state: not_made, reason: nobody}}
  - {touch: "r:0x2000", expect: {esr: 0x97, far: 0x2000}}
  - {early call: hello_hvc, expect: {x1: 42}}
  - {early touch: "r:0x1000", expect: {value: 0x1234}}
  - {pvm: hello, expect: {ran: true, steps: {create: 0}}}
  - {late: foo.ko, expect: {failed: ENOMEM}}
  - {attack: map-*, expect: as specified}
)"),
              IsEmpty());
}

// A touch, a late load and an attack that went otherwise are shown with both sides.
TEST(WishResults, OfOtherKindsFailToo) {
  const auto bad = mismatches(R"(expect: {exit: 12}
do:
  - {touch: "r:0x1000", expect: aborted}
  - {touch: "r:0x2000", expect: {value: 1}}
  - {late: foo.ko, expect: {refused: EOPNOTSUPP}}
  - {attack: "*", expect: as specified}
  - {pvm: hello, expect: {ran: false}}
)");
  ASSERT_THAT(bad, SizeIs(6));
  EXPECT_EQ(bad[0].got, "done");
  EXPECT_EQ(bad[1].got, "aborted");
  EXPECT_THAT(bad[2].got, HasSubstr("failed: init returned -12"));
  EXPECT_EQ(bad[3].got, "-12 (ENOMEM)");
  EXPECT_EQ(bad[4].got, "read-secret: it read 7");
  EXPECT_EQ(bad[5].got, "true");
}

// What stands in `in:` replaces the general expectation of its subject there, and nowhere else.
TEST(OfAGeneration, ReplacesTheGeneral) {
  const std::string yaml = R"(expect:
  exit: hyp_panic
  protected_vms: available
  modules: {hello: {failed: ENOMEM}, foo: failed}
  in:
    android14-6.1: {protected_vms: not_available, modules: {hello: loaded}}
do:
  - call: hello_hvc
    expect: {x1: 7, in: {android14-6.1: {x1: 42}}}
)";
  EXPECT_THAT(mismatches(yaml, Generation::android14_6_1), IsEmpty());
  EXPECT_THAT(mismatches(yaml, Generation::android15_6_6), SizeIs(4));
}

}  // namespace
}  // namespace pkvmemu::scenario
