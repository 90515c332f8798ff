// SPDX-License-Identifier: GPL-2.0-only
#include "observe/report.h"

#include <gmock/gmock.h>

#include "event_builder.h"

namespace pkvmemu::observe {
namespace {

using test::EventBuilder;
using test::facts_of;
using test::host_id;
using test::Kind;
using test::refusal;
using test::Step;
using testing::ElementsAre;
using testing::SizeIs;

ModuleRequest request(std::string name, LoadTime time = LoadTime::boot) {
  return {.name = name, .file = "dir/" + name + ".ko", .time = time};
}

// A loaded module carries its addresses, handlers and generation, and its file as the user wrote
// it.
TEST(Report, ALoadedModuleIsDescribed) {
  const EventBuilder events = EventBuilder().boot().loaded("hello").deprivilege();
  Facts facts = facts_of(events);
  facts.modules = {request("hello")};
  const RunReport report = make_report(facts);

  ASSERT_THAT(report.modules, SizeIs(1));
  const ModuleReport& hello = report.modules[0];
  EXPECT_EQ(hello.state, LoadState::loaded);
  EXPECT_EQ(hello.file, "dir/hello.ko");
  EXPECT_EQ(hello.generation, pkvm::Generation::android15_6_6);
  EXPECT_EQ(hello.hyp_va, test::hello_hyp_va);
  EXPECT_EQ(hello.init_result, 0);
  ASSERT_THAT(hello.handlers, SizeIs(1));
  EXPECT_EQ(hello.handlers[0].symbol, "hello_add");
  EXPECT_EQ(hello.handlers[0].id, 128u);
  EXPECT_TRUE(report.deprivileged);
  EXPECT_EQ(report.exit_code, ExitCode::good);
}

// A failing init leaves the later modules untried, wipes pvmfw, and is what the run reports.
TEST(Report, AFailingInitStopsTheListAndTakesProtectedVmsAway) {
  const EventBuilder events = EventBuilder()
                                  .boot()
                                  .begin("foo")
                                  .failed("foo", -12, Step::init_module)
                                  .host(Kind::module_skipped, {}, {"hello", ""})
                                  .host(Kind::pvmfw_wiped, {}, {"", "module foo failed"})
                                  .deprivilege();
  Facts facts = facts_of(events);
  facts.modules = {request("foo"), request("hello")};
  facts.pvmfw = Pvmfw::zeroed;
  const RunReport report = make_report(facts);

  ASSERT_THAT(report.modules, SizeIs(2));
  EXPECT_EQ(report.modules[0].state, LoadState::failed);
  EXPECT_EQ(report.modules[0].step, Step::init_module);
  EXPECT_EQ(report.modules[1].state, LoadState::not_tried);
  EXPECT_EQ(report.protected_vms.state, Availability::not_available);
  EXPECT_EQ(report.protected_vms.reason,
            "module foo: init returned -12 (ENOMEM); pvmfw wiped before deprivilege");
  EXPECT_EQ(report.exit_code, ExitCode::load_failed);
}

// A handler whose registration fails is listed with its error and no id.
TEST(Report, ARefusedHandlerHasAnErrorAndNoId) {
  const EventBuilder events = EventBuilder().boot().begin("hello").host(
      Kind::module_handler, {static_cast<std::uint64_t>(-12), 0x1000}, {"hello", "last"});
  const RunReport report = make_report(facts_of(events));
  ASSERT_THAT(report.modules, SizeIs(1));
  ASSERT_THAT(report.modules[0].handlers, SizeIs(1));
  EXPECT_EQ(report.modules[0].handlers[0].id, std::nullopt);
  EXPECT_EQ(report.modules[0].handlers[0].error, -12);
}

// A module's missing symbols are all named, with what to do about them.
TEST(Report, MissingSymbolsAreNamed) {
  const EventBuilder events = EventBuilder()
                                  .boot()
                                  .begin("foo")
                                  .host(Kind::module_unresolved, {0}, {"foo", "first"})
                                  .host(Kind::module_unresolved, {0}, {"foo", "second"})
                                  .failed("foo", -2, Step::resolve_symbols, "Unknown symbol first");
  const RunReport report = make_report(facts_of(events));
  ASSERT_THAT(report.modules, SizeIs(1));
  EXPECT_THAT(report.modules[0].unresolved, ElementsAre("first", "second"));
  EXPECT_EQ(failure_text(report.modules[0]),
            "unknown symbols first, second (--unresolved=stub stands in for such)");
}

// Stubbed symbols refuse nothing; their calls are counted by symbol, in the order of first use.
TEST(Report, StubCallsAreCounted) {
  const EventBuilder events = EventBuilder()
                                  .boot()
                                  .begin("foo")
                                  .host(Kind::module_unresolved, {1}, {"foo", "stubbed"})
                                  .host(Kind::stub_used, {0x1000}, {"b", ""})
                                  .host(Kind::stub_used, {0x1000}, {"a", ""})
                                  .host(Kind::stub_used, {0x1004}, {"b", ""})
                                  .host(Kind::module_end, {0, 12, 0}, {"foo", ""})
                                  .deprivilege();
  const RunReport report = make_report(facts_of(events));
  EXPECT_THAT(report.modules[0].stubbed, ElementsAre("stubbed"));
  ASSERT_THAT(report.stub_uses, SizeIs(2));
  EXPECT_EQ(report.stub_uses[0].symbol, "b");
  EXPECT_EQ(report.stub_uses[0].count, 2U);
  EXPECT_EQ(report.stub_uses[1].count, 1U);
  EXPECT_EQ(report.exit_code, ExitCode::good);
}

// An EL1 init that fails after a good EL2 load says that the EL2 half stays.
TEST(Report, AnEl2HalfThatOutlivesItsModuleIsTold) {
  const EventBuilder events = EventBuilder()
                                  .boot()
                                  .begin("foo")
                                  .host(Kind::module_el2_loaded, {test::hello_hyp_va}, {"foo", ""})
                                  .failed("foo", -19, Step::el1_init);
  EXPECT_EQ(failure_text(make_report(facts_of(events)).modules[0]),
            "EL1 init returned -19 (ENODEV); its EL2 half was loaded before and stays with EL2");
}

// A late load that gets -EOPNOTSUPP from a deprivileged host is a good answer.
TEST(Report, ALateLoadIsExpectedToBeRefused) {
  const EventBuilder events =
      EventBuilder().boot().deprivilege().begin("late", 0).failed("late", -95, Step::phase_check);
  const RunReport report = make_report(facts_of(events));
  ASSERT_THAT(report.modules, SizeIs(1));
  EXPECT_EQ(report.modules[0].time, LoadTime::late);
  EXPECT_EQ(report.modules[0].state, LoadState::refused);
  EXPECT_EQ(report.exit_code, ExitCode::good);
  EXPECT_EQ(report.protected_vms.state, Availability::not_verified);
}

// Its bad twins: another error is a failed load, and success is a bug of ours.
TEST(Report, ALateLoadThatIsNotRefusedIsNotGood) {
  const EventBuilder missing =
      EventBuilder().boot().deprivilege().begin("late", 0).failed("late", -2, Step::find_file);
  EXPECT_EQ(make_report(facts_of(missing)).exit_code, ExitCode::load_failed);

  const EventBuilder loaded = EventBuilder()
                                  .boot()
                                  .deprivilege()
                                  .begin("late", 0)
                                  .host(Kind::module_el2_loaded, {test::hello_hyp_va}, {"late", ""})
                                  .host(Kind::module_end, {0, 12, 0}, {"late", ""});
  EXPECT_EQ(make_report(facts_of(loaded)).exit_code, ExitCode::internal);
}

// Its good twin: a load that the rc file asks for before deprivilege is a load like any other.
TEST(Report, ALoadBeforeDeprivilegeIsNoBug) {
  const EventBuilder loaded = EventBuilder()
                                  .boot()
                                  .begin("late", 0)
                                  .host(Kind::module_el2_loaded, {test::hello_hyp_va}, {"late", ""})
                                  .host(Kind::module_end, {0, 12, 0}, {"late", ""})
                                  .deprivilege();
  EXPECT_EQ(make_report(facts_of(loaded)).exit_code, ExitCode::good);
}

// The EL2 cost of a call is what ran at EL2 between its begin and its end.
TEST(Report, ACallCarriesRegistersAndCost) {
  const EventBuilder events =
      EventBuilder().boot().loaded("hello").deprivilege().call(host_id(128), 0);
  Facts facts = facts_of(events);
  facts.calls = {{.name = "hello/hello_add", .args = {0x11, 0x22}}};
  const RunReport report = make_report(facts);

  ASSERT_THAT(report.calls, SizeIs(1));
  const CallReport& call = report.calls[0];
  EXPECT_EQ(call.state, CallState::good);
  EXPECT_EQ(call.name, "hello/hello_add");
  EXPECT_THAT(call.args, ElementsAre(0x11, 0x22));
  EXPECT_EQ(call.id, 128u);
  EXPECT_EQ(call.el2_instructions, 100u);
  ASSERT_TRUE(call.result);
  EXPECT_THAT(*call.result, ElementsAre(0, 0x66, 0x44, 0xabc, 0, 0, 0, 0));
}

// An unregistered dynamic id answers -1, and that is the user's error: exit code 11.
TEST(Report, AnUnregisteredDynamicCallFails) {
  const EventBuilder events = EventBuilder().boot().deprivilege().call(host_id(200), refusal);
  const RunReport report = make_report(facts_of(events));
  EXPECT_EQ(report.calls.at(0).state, CallState::failed);
  EXPECT_EQ(report.exit_code, ExitCode::call_failed);
}

// A forged load hypercall after finalisation must be refused: -1 is good, 0 is not.
TEST(Report, AForgedLoadCallMustBeRefused) {
  const EventBuilder refused = EventBuilder().boot().deprivilege().call(host_id(15), refusal);
  EXPECT_EQ(make_report(facts_of(refused)).calls.at(0).state, CallState::refused);
  EXPECT_EQ(make_report(facts_of(refused)).exit_code, ExitCode::good);

  const EventBuilder answered = EventBuilder().boot().deprivilege().call(host_id(15), 0);
  EXPECT_EQ(make_report(facts_of(answered)).calls.at(0).state, CallState::failed);
  EXPECT_EQ(make_report(facts_of(answered)).exit_code, ExitCode::call_failed);
}

// Function ids outside KVM's range have no number; -1 is their specified answer.
TEST(Report, AnHvcOutsideTheHostRangeIsRefused) {
  const EventBuilder events =
      EventBuilder().boot().deprivilege().call(pkvm::smccc::version_id, refusal);
  const RunReport report = make_report(facts_of(events));
  EXPECT_EQ(report.calls.at(0).id, std::nullopt);
  EXPECT_EQ(report.calls.at(0).state, CallState::refused);
}

// A call that the kernel cannot make has no result; requests that were never reached neither.
TEST(Report, CallsNotMadeHaveNoResult) {
  const EventBuilder events = EventBuilder().boot().deprivilege().host(
      Kind::call_not_made, {}, {"foo/bar", "module foo is not loaded"});
  Facts facts = facts_of(events);
  facts.calls = {{.name = "foo/bar", .args = {}}, {.name = "129", .args = {7}}};
  const RunReport report = make_report(facts);
  ASSERT_THAT(report.calls, SizeIs(2));
  EXPECT_EQ(report.calls[0].state, CallState::not_made);
  EXPECT_EQ(report.calls[0].reason, "module foo is not loaded");
  EXPECT_EQ(report.calls[0].result, std::nullopt);
  EXPECT_EQ(report.calls[1].state, CallState::unfinished);
  EXPECT_EQ(report.exit_code, ExitCode::call_failed);
}

// A touch is done, or aborted with the syndrome that the kernel saw, or was never reached.
TEST(Report, TouchesTellWhatCameOfThem) {
  const EventBuilder events = EventBuilder()
                                  .boot()
                                  .deprivilege()
                                  .host(Kind::touch_begin, {0, 0x1000, 0}, {"r:0x1000", ""})
                                  .host(Kind::touch_end, {0, 0x42, 0, 0}, {"r:0x1000", ""})
                                  .host(Kind::touch_begin, {1, 0x2000, 1}, {"w:0x2000=1", ""})
                                  .host(Kind::touch_end, {1, 1, 0x97, 0xff}, {"w:0x2000=1", ""});
  Facts facts = facts_of(events);
  facts.touches = {"r:0x1000", "w:0x2000=0x1", "x:0x3000"};
  const RunReport report = make_report(facts);
  ASSERT_THAT(report.touches, SizeIs(3));
  EXPECT_EQ(report.touches[0].state, TouchState::done);
  EXPECT_EQ(report.touches[0].value, 0x42U);
  EXPECT_EQ(report.touches[1].state, TouchState::aborted);
  EXPECT_EQ(report.touches[1].name, "w:0x2000=0x1");
  EXPECT_EQ(report.touches[1].esr, 0x97U);
  EXPECT_EQ(report.touches[1].far, 0xffU);
  EXPECT_EQ(report.touches[2].state, TouchState::unfinished);
  EXPECT_EQ(report.exit_code, ExitCode::good) << "an abort is an answer";
}

// An end without a begin, as a wild guest may report, harms nothing.
TEST(Report, ATouchThatNeverBeganIsIgnored) {
  const EventBuilder events = EventBuilder().boot().host(Kind::touch_end, {1, 1, 1, 1}, {"", ""});
  EXPECT_THAT(make_report(facts_of(events)).touches, testing::IsEmpty());
}

// A module that no event mentions was asked for all the same, and did not load.
TEST(Report, ARequestWithoutEventsIsUnfinished) {
  Facts facts = facts_of(EventBuilder());
  facts.modules = {request("hello"), request("late", LoadTime::late)};
  const RunReport report = make_report(facts);
  ASSERT_THAT(report.modules, SizeIs(2));
  EXPECT_EQ(report.modules[0].state, LoadState::unfinished);
  EXPECT_EQ(report.modules[1].time, LoadTime::late);
  EXPECT_EQ(report.exit_code, ExitCode::load_failed);
}

// Protected VMs are available when one was started and its firmware reported in; the calls on the
// way are the reason.
TEST(Report, AProtectedVmThatReportsInIsTheAnswer) {
  const RunReport report = make_report(facts_of(EventBuilder().boot().deprivilege().probe()));
  EXPECT_EQ(report.protected_vms.state, Availability::available);
  EXPECT_EQ(report.protected_vms.reason,
            "create 0, firmware info 0 (1048576 bytes), set firmware 0, run 0: pvmfw reported in");
  EXPECT_EQ(report.protected_vms.steps.size(), 6U);
  EXPECT_THAT(report.guests, testing::IsEmpty()) << "it is not one of the user's";
  EXPECT_EQ(report.exit_code, ExitCode::good);
}

// Its bad twins: a refused call, a guest that dies, a guest that says something else, or a run that
// ends inside it.
TEST(Report, AProtectedVmThatDoesNotReportInIsTheAnswer) {
  const auto reason_of = [](const EventBuilder& events) {
    const RunReport report = make_report(facts_of(events));
    EXPECT_EQ(report.protected_vms.state, Availability::not_available);
    return report.protected_vms.reason;
  };
  const auto begun = [] { return EventBuilder().boot().deprivilege().probe_begins(); };
  EXPECT_EQ(reason_of(begun().guest_step("create", -12).guest_ends(false)),
            "create -12 (ENOMEM): no pvmfw reported in");
  EXPECT_EQ(
      reason_of(begun().firmware_is_set().guest_step("memory", -12).guest_step("tear down", -16)),
      "create 0, firmware info 0 (1048576 bytes), set firmware 0, memory -12 (ENOMEM), tear down "
      "-16 (EBUSY): no pvmfw reported in");
  for (const std::string_view other : {"", "pvmfw: running in a protected", "hello"})
    EXPECT_THAT(reason_of(begun().firmware_is_set().guest_says(other).guest_step("run")),
                testing::EndsWith("run 0: no pvmfw reported in"));
  EXPECT_EQ(reason_of(begun()), "no pvmfw reported in");
}

// A protected guest of the user's answers the question as well; an ordinary one does not.
TEST(Report, AGuestOfTheUsersMayBeTheAnswer) {
  const auto with = [](std::uint64_t is_protected, const char* step = "set firmware") {
    return make_report(
        facts_of(EventBuilder()
                     .boot()
                     .deprivilege()
                     .host(Kind::guest_step, {0, is_protected}, {"hello", step})
                     .host(Kind::guest_console, {}, {"hello", pkvm::guest::firmware_greeting})
                     .guest_ends(true)));
  };
  EXPECT_EQ(with(1).protected_vms.state, Availability::available);
  EXPECT_EQ(with(1).protected_vms.reason, "set firmware 0: pvmfw reported in");
  EXPECT_EQ(with(0).protected_vms.state, Availability::not_verified);
  // Without firmware it can greet as it likes.
  EXPECT_EQ(with(1, "create").protected_vms.state, Availability::not_verified);
}

// What the run did counts too: no answer of a VM outweighs a panic, and firmware that reports in
// after it was wiped is a bug of ours.
TEST(Report, NoReportOutweighsWhatTheRunDid) {
  const RunReport panic =
      make_report(facts_of(EventBuilder().boot().deprivilege().probe().hyp(Kind::hyp_panic, {1})));
  EXPECT_EQ(panic.protected_vms.state, Availability::not_available);
  EXPECT_THAT(panic.protected_vms.reason, testing::StartsWith("hyp panic; create 0"));

  const RunReport wiped = make_report(facts_of(
      EventBuilder().boot().host(Kind::pvmfw_wiped, {}, {"", "no IOMMU"}).deprivilege().probe()));
  EXPECT_EQ(wiped.protected_vms.state, Availability::not_available);
  EXPECT_EQ(wiped.exit_code, ExitCode::internal);
}

// The firmware's bytes count, even when no event tells of a change.
TEST(Report, ChangedFirmwareTakesProtectedVmsAway) {
  const EventBuilder events = EventBuilder().boot().deprivilege().probe();
  for (const Pvmfw state : {Pvmfw::absent, Pvmfw::zeroed, Pvmfw::changed}) {
    Facts facts = facts_of(events);
    facts.pvmfw = state;
    EXPECT_EQ(make_report(facts).protected_vms.state, Availability::not_available);
  }
}

// Without an IOMMU driver the kernel wipes the firmware: its own words are the reason.
TEST(Report, TheKernelsReasonForAWipeIsReported) {
  const EventBuilder events =
      EventBuilder().boot().host(Kind::pvmfw_wiped, {}, {"", "no IOMMU driver"}).deprivilege();
  Facts facts = facts_of(events);
  facts.pvmfw = Pvmfw::zeroed;
  EXPECT_EQ(make_report(facts).protected_vms.reason,
            "no IOMMU driver; pvmfw wiped before deprivilege");
}

// Records come from the guest: unknown kinds, wild numbers and unterminated strings do no harm.
TEST(Report, WildRecordsDoNoHarm) {
  const std::string unterminated(64, 'n');
  const std::string long_text(192, 't');
  const EventBuilder events = EventBuilder()
                                  .hyp(Kind::hyp_ready, {refusal, refusal})
                                  .host(static_cast<Kind>(9999), {refusal})
                                  .host(Kind::call_end, {refusal})
                                  .failed(unterminated, -22, static_cast<Step>(9999), long_text);
  const RunReport report = make_report(facts_of(events));
  EXPECT_EQ(report.generation, std::nullopt);
  ASSERT_THAT(report.modules, SizeIs(1));
  EXPECT_EQ(report.modules[0].name, unterminated);
  EXPECT_EQ(report.modules[0].reason, long_text);
  EXPECT_EQ(report.modules[0].step, std::nullopt);
}

// A line of the rc file that the firmware cannot read is our bug: the tool checks them first.
TEST(Report, AnRcErrorIsOurBug) {
  const EventBuilder events = EventBuilder().host(Kind::rc_error, {3}, {"", "what?"});
  EXPECT_EQ(make_report(facts_of(events)).exit_code, ExitCode::internal);
}

// docs/design.md 7: of all codes that apply, the first of 70, 13, 12, 14, 15, 10, 11.
TEST(ReportExitCode, FollowsThePrecedence) {
  EventBuilder events;
  events.boot();
  Facts facts = facts_of(events);
  const auto code = [&] {
    facts.events = events.events();
    return make_report(facts).exit_code;
  };
  EXPECT_EQ(code(), ExitCode::good);
  events.call(host_id(128), 1);
  EXPECT_EQ(code(), ExitCode::call_failed);
  events.begin("foo").failed("foo", -12, Step::init_module);
  EXPECT_EQ(code(), ExitCode::load_failed);
  events.hyp(Kind::op_missing, {40, 0x1000}, {"trap_smc", ""});
  EXPECT_EQ(code(), ExitCode::op_missing);
  facts.exit.reason = machine::ExitReason::budget_spent;
  EXPECT_EQ(code(), ExitCode::no_end);
  EventBuilder with_host_panic = events;
  events.hyp(Kind::hyp_panic, {0x97c9'8045});
  EXPECT_EQ(code(), ExitCode::hyp_panic);
  // The host's own panic comes before, and outranks it.
  events = with_host_panic.host(Kind::host_panic, {}, {"", "oops"}).hyp(Kind::hyp_panic, {1});
  EXPECT_EQ(code(), ExitCode::host_panic);
  facts.exit.reason = machine::ExitReason::engine_error;
  EXPECT_EQ(code(), ExitCode::internal);
  facts.exit.reason = machine::ExitReason::stopped;
  EXPECT_EQ(code(), ExitCode::interrupted);
}

// A hyp panic ends in a panic of the host (pkvm-abi.md 8.5): that one is not the host's own.
TEST(ReportExitCode, AHostPanicOutOfAHypPanicCountsAsHypPanic) {
  const EventBuilder events =
      EventBuilder().boot().hyp(Kind::hyp_panic, {1}).host(Kind::host_panic, {}, {"", "HYP panic"});
  EXPECT_EQ(make_report(facts_of(events)).exit_code, ExitCode::hyp_panic);
}

// A kernel whose own state is gone may switch off without a panic's record: in the middle of a load
// or a call that is a panic, before any it is not.
TEST(ReportExitCode, SwitchedOffInTheMiddle) {
  EXPECT_EQ(make_report(facts_of(EventBuilder().boot().begin("a"))).exit_code,
            ExitCode::host_panic);
  EXPECT_EQ(make_report(facts_of(EventBuilder().boot().deprivilege().host(Kind::call_begin, {1})))
                .exit_code,
            ExitCode::host_panic);
  EXPECT_EQ(make_report(facts_of(EventBuilder().boot())).exit_code, ExitCode::good);
}

// Every way in which a guest can fail to come to an end is code 14.
TEST(ReportExitCode, AGuestThatDoesNotEnd) {
  using machine::ExitReason;
  for (const ExitReason reason :
       {ExitReason::budget_spent, ExitReason::wedged, ExitReason::halted}) {
    Facts facts = facts_of(EventBuilder());
    facts.exit.reason = reason;
    EXPECT_EQ(make_report(facts).exit_code, ExitCode::no_end);
  }
}

// A handler at an address of no module makes no module of its own.
TEST(Report, AHandlerOfNoModuleIsNoModule) {
  const EventBuilder events =
      EventBuilder().boot().loaded("hello").host(Kind::module_handler, {129, 0x1234}, {"", ""});
  const RunReport report = make_report(facts_of(events));
  ASSERT_EQ(report.modules.size(), 1U);
  EXPECT_EQ(report.modules[0].handlers.size(), 1U);
}

}  // namespace
}  // namespace pkvmemu::observe
