// SPDX-License-Identifier: GPL-2.0-only
#include "observe/verdict.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "event_builder.h"

namespace pkvmemu::observe {
namespace {

using test::EventBuilder;
using test::facts_of;
using test::host_id;
using test::Kind;
using test::refusal;
using test::Step;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> lines_of(const Facts& facts) {
  std::vector<std::string> texts;
  for (VerdictLine& line : verdict_lines(make_report(facts)))
    texts.push_back(std::move(line.text));
  return texts;
}

// docs/design.md 7, first form.
TEST(Verdict, AGoodRun) {
  const EventBuilder events = EventBuilder().boot().loaded("hello").deprivilege().probe();
  EXPECT_THAT(lines_of(facts_of(events)),
              ElementsAre("module hello: loaded, init 0, hvc 128",
                          "protected VMs: available (create 0, firmware info 0 (1048576 bytes), "
                          "set firmware 0, run 0: pvmfw reported in)"));
}

// Without a VM that was started the verdict promises nothing (--no-pvm).
TEST(Verdict, NoVmWasStarted) {
  EXPECT_THAT(lines_of(facts_of(EventBuilder().boot().deprivilege())),
              ElementsAre("protected VMs: not verified: the firmware is intact and the host "
                          "deprivileged, but no VM was started"));
}

// docs/design.md 7, second form.
TEST(Verdict, AFailingInit) {
  const EventBuilder events =
      EventBuilder().boot().begin("foo").failed("foo", -12, Step::init_module).deprivilege();
  EXPECT_THAT(lines_of(facts_of(events)),
              Contains("module foo: NOT loaded: init returned -12 (ENOMEM)"));
}

// A defect that the firmware avoided is named with the versions that have it; a reproduced one is
// what the run died of; a name that this version does not know is passed on.
TEST(Verdict, Defects) {
  const auto with = [](std::string_view name, std::uint64_t reproduced) {
    return lines_of(
        facts_of(EventBuilder().boot().host(Kind::quirk, {reproduced}, {name, ""}).deprivilege()));
  };
  EXPECT_THAT(with("failed-load-unmaps-wrong-address", 0),
              Contains(testing::AllOf(HasSubstr("of 6.6.77 to 6.6.127 kernels avoided"),
                                      HasSubstr("--as-shipped"))));
  EXPECT_THAT(with("failed-load-unmaps-wrong-address", 1),
              Contains(HasSubstr("reproduced: a failing EL2 init")));
  EXPECT_THAT(with("other", 1), Contains("defect other"));
  // The hypervisor meets some itself.
  EXPECT_THAT(lines_of(facts_of(
                  EventBuilder().boot().hyp(Kind::quirk, {0}, {"failed-init-keeps-handlers", ""}))),
              Contains(HasSubstr("defect failed-init-keeps-handlers")));
}

// docs/design.md 7, last form; measured: hello is never tried after nosuch.
TEST(Verdict, AMissingModule) {
  const EventBuilder events = EventBuilder()
                                  .boot()
                                  .host(Kind::module_begin, {1}, {"nosuch", ""})
                                  .failed("nosuch", -2, Step::find_file)
                                  .host(Kind::module_skipped, {}, {"hello", ""})
                                  .host(Kind::pvmfw_wiped, {}, {"", "module nosuch"})
                                  .deprivilege();
  Facts facts = facts_of(events);
  facts.pvmfw = Pvmfw::zeroed;
  EXPECT_THAT(lines_of(facts),
              ElementsAre("module nosuch: NOT loaded: no such file",
                          "module hello: NOT loaded: not tried: an earlier module failed",
                          "protected VMs: NOT available: module nosuch: no such file; pvmfw wiped "
                          "before deprivilege"));
}

// Other failures name the step and the kernel's words.
TEST(Verdict, AFailingStepIsNamed) {
  const EventBuilder events = EventBuilder().boot().begin("foo").failed(
      "foo", -2, Step::resolve_symbols, "Unknown symbol bar");
  EXPECT_THAT(
      lines_of(facts_of(events)),
      Contains("module foo: NOT loaded: resolve-symbols: Unknown symbol bar, error -2 (ENOENT)"));
}

// Runs of handler ids are shortened, and modules without handlers have no hvc part.
TEST(Verdict, HandlerIds) {
  EventBuilder events;
  events.boot().begin("many");
  for (const std::uint64_t id : {128u, 129u, 130u, 140u, 142u})
    events.host(Kind::module_handler, {id, 0}, {"many", "f"});
  events.host(Kind::module_end, {0, 12, 0}, {"many", ""});
  events.begin("none").host(Kind::module_end, {0, 12, 0}, {"none", ""});
  const auto lines = lines_of(facts_of(events));
  EXPECT_THAT(lines, Contains("module many: loaded, init 0, hvc 128-130, 140, 142"));
  EXPECT_THAT(lines, Contains("module none: loaded, init 0"));
}

// Calls come first, as written, with the registers they may answer in.
TEST(Verdict, Calls) {
  const EventBuilder events = EventBuilder()
                                  .boot()
                                  .loaded("hello")
                                  .deprivilege()
                                  .call(host_id(128), 0)
                                  .call(host_id(200), refusal)
                                  .call(host_id(15), refusal)
                                  .host(Kind::call_not_made, {}, {"", "no such handler"});
  Facts facts = facts_of(events);
  facts.calls = {{.name = "hello_add", .args = {0x11, 0x22}},
                 {.name = "200", .args = {}},
                 {.name = "0xc600000f", .args = {}},
                 {.name = "nosuch", .args = {}}};
  auto lines = lines_of(facts);
  ASSERT_GE(lines.size(), 4u);
  lines.resize(4);
  EXPECT_THAT(
      lines,
      ElementsAre("call hello_add (hvc 128) (0x11, 0x22): x0 0, x1 0x66, x2 0x44, x3 0xabc, 100 "
                  "EL2 instructions",
                  "call 200: x0 -1, x1 0x66, x2 0x44, x3 0xabc",
                  "call 0xc600000f: refused, x0 -1, x1 0x66, x2 0x44, x3 0xabc",
                  "call nosuch: not made: no such handler (registered: hello_add)"));
}

// A fault is told with how often its site was reached and failed; one that never came to pass makes
// the run a failed one.
TEST(Verdict, Faults) {
  const EventBuilder events = EventBuilder().boot().loaded("hello").deprivilege();
  Facts facts = facts_of(events);
  facts.faults = {{.site = "hyp.donate", .nth = 2, .answer = -1, .reached = 5, .fired = 1},
                  {.site = "host.kmalloc", .nth = 1, .answer = 1, .reached = 3, .fired = 3}};
  const auto lines = lines_of(facts);
  EXPECT_THAT(lines, Contains("fault hyp.donate: reached 5 times, failed 1 time from the 2. on "
                              "with -1 (EPERM)"));
  EXPECT_THAT(lines, Contains("fault host.kmalloc: reached 3 times, failed 3 times from the 1. on: "
                              "it found nothing"));
  EXPECT_EQ(make_report(facts).exit_code, ExitCode::good);

  facts.faults = {{.site = "hyp.donate", .nth = 9, .answer = -1, .reached = 5, .fired = 0}};
  EXPECT_THAT(lines_of(facts), Contains("fault hyp.donate: NOT injected: it was to fail the 9. "
                                        "time, and was reached 5 times"));
  EXPECT_EQ(make_report(facts).exit_code, ExitCode::call_failed);
}

// Of a fault at any code it is told what happened there and where that is; what could not be done
// makes the run a failed one, and so does one whose time never came.
TEST(Verdict, FaultsAtAnyCode) {
  const EventBuilder builder = EventBuilder().boot().loaded("hello").deprivilege();
  Facts facts = facts_of(builder);
  FaultReport fault{.site = "hello_hvc",
                    .reached = 2,
                    .fired = 1,
                    .fails_a_step = false,
                    .action = "flips bit 3 of x1",
                    .where = "el2:0x10 hello_hvc [hello]"};
  facts.faults = {fault};
  facts.corruptions = {"hello: the file at 0x0: 7f became 80"};
  facts.seed = 7;
  const auto lines = lines_of(facts);
  EXPECT_THAT(lines,
              Contains("fault hello_hvc: reached 2 times, flips bit 3 of x1 1 time, first at "
                       "el2:0x10 hello_hvc [hello]"));
  EXPECT_THAT(lines, Contains("corrupted hello: the file at 0x0: 7f became 80"));
  EXPECT_THAT(lines, Contains("faults come by lot; this one again: seed: 7"));
  EXPECT_EQ(make_report(facts).exit_code, ExitCode::good);

  fault.note = "0x10 is not mapped at EL2";
  facts.faults = {fault};
  EXPECT_THAT(lines_of(facts), Contains("fault hello_hvc: NOT done: 0x10 is not mapped at EL2"));
  EXPECT_EQ(make_report(facts).exit_code, ExitCode::call_failed);
  facts.faults = {{.site = "f", .reached = 2, .has_conditions = true}};
  EXPECT_THAT(lines_of(facts),
              Contains("fault f: NOT injected: it was to fail the 1. time, and was "
                       "reached 2 times, by whatever path and lot"));
}

// A run that does not end by itself says where it was and what to do; the last line stays the
// answer to whether protected VMs are available.
TEST(Verdict, AnAbnormalEndIsExplainedBeforeTheAnswers) {
  Facts facts = facts_of(EventBuilder());
  facts.instructions = 1000;
  facts.exit = {
      .reason = machine::ExitReason::budget_spent, .pc = 0x4020'0000, .el = 1, .detail = ""};
  EXPECT_THAT(
      lines_of(facts),
      Contains(
          "run: instruction budget spent after 1000 instructions, at EL1, PC 0x40200000; raise "
          "it with --budget"));
  EXPECT_THAT(lines_of(facts).back(), StartsWith("protected VMs: "));
  facts.exit.detail = "by the fault at f";
  EXPECT_THAT(lines_of(facts), Contains("run: the budget was ended at EL1, PC 0x40200000: by the "
                                        "fault at f"));
  facts.exit.reason = machine::ExitReason::power_cut;
  EXPECT_THAT(lines_of(facts), Contains(HasSubstr("run: the power was cut at EL1")));
  EXPECT_EQ(make_report(facts).exit_code, ExitCode::no_end);
  facts.exit.reason = machine::ExitReason::stopped;
  EXPECT_THAT(lines_of(facts), Contains(HasSubstr("interrupted")));
}

// A guest cannot steer the terminal through names and reasons.
TEST(Verdict, ControlCharactersAreReplaced) {
  const EventBuilder events =
      EventBuilder().begin("a\x1b[2J\nb").failed("a\x1b[2J\nb", -12, Step::init_module);
  EXPECT_EQ(lines_of(facts_of(events)).front(),
            "module a?[2J?b: NOT loaded: init returned -12 (ENOMEM)");
}

}  // namespace
}  // namespace pkvmemu::observe
