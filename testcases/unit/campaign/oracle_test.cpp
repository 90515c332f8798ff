// SPDX-License-Identifier: GPL-2.0-only
// Each check of the oracle on runs made by hand: a good one, and its bad twin that differs in the
// one thing that must not be.
#include "campaign/oracle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "pkvm/guest.h"
#include "pkvm/quirk.h"

namespace pkvmemu::campaign {
namespace {

using machine::ExitReason;
using observe::LoadState;
using observe::Pvmfw;
using observe::RunReport;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::size_t frames_of_ram = 64;
constexpr std::uint64_t hyp_image = 0x40'0000'0000;

Frames range(std::uint32_t begin, std::uint32_t end) {
  Frames frames;
  for (std::uint32_t i = begin; i < end; ++i)
    frames.push_back(i);
  return frames;
}

observe::GuestReport guest_whose_firmware_ran() {
  observe::GuestReport guest;
  guest.name = "probe";
  guest.is_protected = true;
  guest.steps = {{.what = "set firmware", .answer = 0}};
  guest.console = {std::string(pkvm::guest::firmware_greeting)};
  return guest;
}

/// A run that loads hello, calls it, and has a protected VM.
RunReport good_report() {
  RunReport report;
  observe::ModuleReport module;
  module.name = "hello";
  module.state = LoadState::loaded;
  module.hyp_va = 0x41'0000'0000;
  module.handlers = {{.symbol = "hello_hvc", .id = 128, .error = 0, .hyp_va = 0x41'0000'0010}};
  report.modules = {module};
  observe::CallReport call;
  call.name = "hello_hvc";
  call.state = observe::CallState::good;
  call.id = 128;
  call.result = {{0, 3}};
  report.calls = {call};
  report.probe = guest_whose_firmware_ran();
  report.generation = pkvm::Generation::android15_6_6;
  report.deprivileged = true;
  report.protected_vms.state = observe::Availability::available;
  report.exit.reason = ExitReason::powered_off;
  return report;
}

/// What one fault made of it: all that judge() looks at.
struct Ended {
  RunReport report = good_report();
  Pvmfw pvmfw = Pvmfw::intact;
  Frames hosts = range(0, 40);
  Frames hyps = range(40, frames_of_ram);
  std::size_t writable_code = 0;
  std::vector<Met> met{{.site = "test.site", .module = ""}};
  pkvm::Generation generation = pkvm::Generation::android15_6_6;
};

/// The hypervisor has 16 frames before hello is loaded, 20 after, and 24 at the end.
Baseline baseline() {
  Baseline found;
  found.report = good_report();
  found.hyp_before = {{"hello", 16}};
  found.hyp_after_loads = 20;
  found.hyp_end = 24;
  return found;
}

/// A load that failed as it has to: nothing is left of it.
Ended failed_load() {
  Ended run;
  observe::ModuleReport& module = run.report.modules.front();
  module.state = LoadState::failed;
  module.error = -12;
  module.step = pkvm::event::Step::init_module;
  module.handlers.clear();
  run.report.calls.front().state = observe::CallState::failed;
  run.report.calls.front().result = {{~std::uint64_t{0}}};
  run.report.probe->console.clear();
  run.report.protected_vms.state = observe::Availability::not_available;
  run.report.exit_code = observe::ExitCode::load_failed;
  run.pvmfw = Pvmfw::zeroed;
  run.hosts = range(0, 44);
  run.hyps = range(44, frames_of_ram);
  return run;
}

Judgement judged(const Ended& run) {
  const FrameMap frames(frames_of_ram, run.hosts, run.hyps, run.writable_code);
  return judge(baseline(), {.report = run.report,
                            .pvmfw = run.pvmfw,
                            .frames = frames,
                            .met = run.met,
                            .generation = run.generation,
                            .hyp_image = hyp_image});
}

std::vector<std::string> kinds_of(const Judgement& judgement) {
  std::vector<std::string> kinds;
  for (const Finding& finding : judgement.findings)
    kinds.push_back(finding.kind);
  return kinds;
}

void expect_bug(const Ended& run, const std::string& kind) {
  const Judgement judgement = judged(run);
  EXPECT_THAT(kinds_of(judgement), ElementsAre(kind));
  EXPECT_EQ(judgement.outcome, Outcome::bug);
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.why, judgement.findings.front().text);
}

// A fault that nothing came of is clean, and a load that failed with nothing left an expected
// error: the good twins of all that follows.
TEST(Oracle, GoodRuns) {
  EXPECT_EQ(judged(Ended{}).outcome, Outcome::clean);
  EXPECT_THAT(kinds_of(judged(Ended{})), IsEmpty());
  const Judgement failed = judged(failed_load());
  EXPECT_EQ(failed.outcome, Outcome::expected_error);
  EXPECT_THAT(kinds_of(failed), IsEmpty());
  EXPECT_THAT(failed.why, HasSubstr("hello"));
}

// After a failed load no protected VM's firmware runs, whether the run's own or one asked for.
TEST(Oracle, Availability) {
  Ended probe = failed_load();
  probe.report.probe = guest_whose_firmware_ran();
  expect_bug(probe, "availability");
  Ended asked_for = failed_load();
  asked_for.report.guests = {guest_whose_firmware_ran()};
  expect_bug(asked_for, "availability");
  // An ordinary VM is nobody's secret.
  asked_for.report.guests.front().is_protected = false;
  EXPECT_THAT(kinds_of(judged(asked_for)), IsEmpty());
}

// Firmware never runs under a host that kept its privileges.
TEST(Oracle, AvailabilityWithoutDeprivilege) {
  Ended run;
  run.report.deprivileged = false;
  EXPECT_THAT(kinds_of(judged(run)), ElementsAre("availability", "not-deprivileged"));
}

// After a failed load a VM that asks for the firmware is refused, except in 6.6 (6.5).
TEST(Oracle, FirmwareOffered) {
  Ended run = failed_load();
  run.report.probe->steps = {{.what = "set firmware", .answer = 0}};
  EXPECT_THAT(kinds_of(judged(run)), IsEmpty());
  run.generation = pkvm::Generation::android14_6_1;
  expect_bug(run, "firmware-offered");
  run.report.probe->steps = {{.what = "set firmware", .answer = -22}};
  EXPECT_THAT(kinds_of(judged(run)), IsEmpty());
}

// After a failed load every byte of the firmware is zero, unless there is none.
TEST(Oracle, Wipe) {
  for (const Pvmfw bad : {Pvmfw::intact, Pvmfw::changed}) {
    Ended run = failed_load();
    run.pvmfw = bad;
    expect_bug(run, "firmware-not-wiped");
  }
  Ended none = failed_load();
  none.pvmfw = Pvmfw::absent;
  EXPECT_THAT(kinds_of(judged(none)), IsEmpty());
}

// A host that goes on is deprivileged; one without a hypervisor has nothing to lose.
TEST(Oracle, Deprivilege) {
  Ended run = failed_load();
  run.report.deprivileged = false;
  expect_bug(run, "not-deprivileged");
  run.report.generation.reset();
  EXPECT_THAT(kinds_of(judged(run)), IsEmpty());
}

// A page more than before the failed load is leaked; one that stays though all loaded is kept.
TEST(Oracle, Leaks) {
  Ended run = failed_load();
  run.hosts = range(0, 43);
  run.hyps = range(43, frames_of_ram);
  expect_bug(run, "pages-leaked");
  Ended loaded;
  loaded.hosts = range(0, 39);
  loaded.hyps = range(39, frames_of_ram);
  expect_bug(loaded, "pages-kept");
}

// pkvm-abi.md 3.6: the pages of a module whose EL1 init failed stay with the hypervisor, and so do
// its handlers; of any other step neither does.
TEST(Oracle, AFailedEl1InitKeepsItsPages) {
  Ended run = failed_load();
  run.hosts = range(0, 40);
  run.hyps = range(40, frames_of_ram);
  expect_bug(run, "pages-leaked");
  run.report.modules.front().step = pkvm::event::Step::el1_init;
  EXPECT_THAT(kinds_of(judged(run)), IsEmpty());
}

// pkvm-abi.md 3.6: what a module shared with the host or took from it before its EL1 init failed
// stays so; of any other step that fails it is a bug.
TEST(Oracle, AFailedEl1InitKeepsWhatItSharedAndTook) {
  Ended both = failed_load();
  both.hosts.push_back(45);
  expect_bug(both, "pages-shared");
  both.report.modules.front().step = pkvm::event::Step::el1_init;
  EXPECT_THAT(kinds_of(judged(both)), IsEmpty());
  Ended neither = failed_load();
  neither.hosts.erase(neither.hosts.begin() + 7);
  expect_bug(neither, "pages-lost");
  neither.report.modules.front().step = pkvm::event::Step::el1_init;
  EXPECT_THAT(kinds_of(judged(neither)), IsEmpty());
}

// Only pages of the module whose init failed are its own: a run in which all loaded is judged.
TEST(Oracle, ALoadedModuleIsNotExcused) {
  Ended run;
  run.report.modules.front().step = pkvm::event::Step::el1_init;
  run.hosts.push_back(41);
  expect_bug(run, "pages-shared");
}

// A page that both reach, and one that nobody does, are named.
TEST(Oracle, Ownership) {
  Ended both;
  both.hosts.push_back(41);
  expect_bug(both, "pages-shared");
  EXPECT_THAT(judged(both).why, HasSubstr("0x40029"));
  Ended neither;
  neither.hosts.erase(neither.hosts.begin() + 7);
  expect_bug(neither, "pages-lost");
  EXPECT_THAT(judged(neither).why, HasSubstr("0x40007"));
}

// A VM that could not be torn down, and is said so, keeps what it has.
TEST(Oracle, AVmThatStaysKeepsItsPages) {
  Ended run;
  run.hosts.pop_back();
  expect_bug(run, "pages-lost");
  run.report.probe->steps = {{.what = "tear down", .answer = -16}};
  EXPECT_THAT(kinds_of(judged(run)), IsEmpty());
}

// What the hypervisor can write it cannot execute.
TEST(Oracle, Permissions) {
  Ended run;
  run.writable_code = 1;
  expect_bug(run, "writable-code");
}

// A step of a load that failed fails the load; one outside of loads does not.
TEST(Oracle, ErrorLost) {
  Ended run;
  run.met = {{.site = "hyp.donate", .module = "hello"}};
  expect_bug(run, "error-lost");
  run.met = {{.site = "hyp.donate", .module = ""}};
  EXPECT_THAT(kinds_of(judged(run)), IsEmpty());
}

// A probe that answers an error has passed it on: the bus keeps the driver, and the load succeeds.
// One that loses it does not.
TEST(Oracle, AProbesErrorFailsNoLoad) {
  Ended run;
  run.met = {{.site = "host.kmalloc", .module = "hello", .probe_failed = true}};
  EXPECT_THAT(kinds_of(judged(run)), IsEmpty());
  run.met = {{.site = "host.kmalloc", .module = "hello", .probe_failed = false}};
  expect_bug(run, "error-lost");
}

// When all modules loaded, calls end as they do without faults.
TEST(Oracle, CallBroken) {
  Ended run;
  run.report.calls.front().state = observe::CallState::failed;
  expect_bug(run, "call-broken");
}

// What a call answers that met the fault itself is its handler's.
TEST(Oracle, CallThatMetTheFault) {
  Ended run;
  run.report.calls.front().state = observe::CallState::failed;
  run.met = {{.site = "hyp.share", .module = "", .in_call = true}};
  EXPECT_THAT(kinds_of(judged(run)), IsEmpty());
}

// What a call did not give back, or what could not be undone, is the host's no more; a load that
// was refused a step once has to undo the others.
TEST(Oracle, PagesThatAreNotGivenBack) {
  Ended run;
  run.hosts = range(0, 38);
  run.met = {{.site = "hyp.mod_prot", .module = ""}};
  expect_bug(run, "pages-lost");
  run.met = {{.site = "hyp.mod_prot", .module = "", .in_call = true}};
  EXPECT_THAT(kinds_of(judged(run)), IsEmpty());
  run.met = {{.site = "hyp.mod_prot", .module = "", .again = true}};
  EXPECT_THAT(kinds_of(judged(run)), IsEmpty());
  run.met = {{.site = "hyp.donate", .module = "", .in_call = true, .again = true}};
  expect_bug(run, "pages-lost");
}

// A module that did not load answers -1, and nothing else.
TEST(Oracle, HandlerLeft) {
  Ended run = failed_load();
  run.report.calls.front().result = {{0, 3}};
  expect_bug(run, "handler-left");
}

// A defect of released kernels is a finding where it shows, and none where it was avoided.
TEST(Oracle, ShippedDefect) {
  Ended run = failed_load();
  run.report.defects = {{.name = std::string(pkvm::quirk_rows.front().name), .reproduced = true}};
  expect_bug(run, "shipped-defect");
  run.report.defects.front().reproduced = false;
  EXPECT_THAT(kinds_of(judged(run)), IsEmpty());
}

constexpr std::uint64_t brk_bug = 0xf200'0800;
constexpr std::uint64_t data_abort = 0x9600'0004;

// The hypervisor that stops itself in its own code does what it must; any other end of it is a
// panic.
TEST(Oracle, HypPanic) {
  Ended run;
  run.report.exit_code = observe::ExitCode::hyp_panic;
  run.report.hyp_panic = observe::HypPanic{.esr = brk_bug, .elr = hyp_image + 0x1000};
  EXPECT_EQ(judged(run).outcome, Outcome::expected_error);
  run.report.hyp_panic->elr = hyp_image - 4;
  EXPECT_EQ(judged(run).outcome, Outcome::panic);
  EXPECT_THAT(kinds_of(judged(run)), ElementsAre("hyp-panic"));
  run.report.hyp_panic = observe::HypPanic{.esr = data_abort, .elr = hyp_image + 0x1000};
  EXPECT_EQ(judged(run).outcome, Outcome::panic);
}

// A kernel that panics is a panic, and a bug when more than that is wrong.
TEST(Oracle, HostPanic) {
  Ended run;
  run.report.host_panic = "Oops";
  EXPECT_EQ(judged(run).outcome, Outcome::panic);
  EXPECT_THAT(kinds_of(judged(run)), ElementsAre("host-panic"));
  run.writable_code = 1;
  EXPECT_EQ(judged(run).outcome, Outcome::bug);
}

// A run that does not end hangs; one that our engine gave up on is lost.
TEST(Oracle, Ends) {
  Ended run;
  run.report.exit.reason = ExitReason::budget_spent;
  EXPECT_EQ(judged(run).outcome, Outcome::hang);
  EXPECT_THAT(kinds_of(judged(run)), ElementsAre("hang"));
  run.report.exit.reason = ExitReason::engine_error;
  EXPECT_EQ(judged(run).outcome, Outcome::lost);
}

// What shows a bug of pkvm-emu's is told as one.
TEST(Oracle, Internal) {
  Ended run;
  run.report.internal_errors = {"two records at once"};
  expect_bug(run, "internal");
}

// An allowance excuses one consequence of one site: neither another one of the same site, nor the
// same of another site.
TEST(Oracle, Allowances) {
  Ended run;
  run.report.deprivileged = false;
  run.report.probe->console.clear();
  run.report.protected_vms.state = observe::Availability::not_available;
  run.met = {{.site = "hyp.finalize", .module = ""}};
  EXPECT_EQ(judged(run).outcome, Outcome::expected_error);
  run.met = {{.site = "hyp.donate", .module = ""}};
  expect_bug(run, "not-deprivileged");
  run.met = {{.site = "hyp.finalize", .module = ""}};
  run.writable_code = 1;
  expect_bug(run, "writable-code");

  ASSERT_NE(allowance_for("host.wipe", "firmware-not-wiped"), nullptr);
  EXPECT_THAT(allowance_for("host.wipe", "firmware-not-wiped")->why, HasSubstr("6.5"));
  EXPECT_EQ(allowance_for("host.wipe", "availability"), nullptr);
  EXPECT_NE(allowance_for("corrupt:hello.ko", "hang"), nullptr);
}

// Frames are named by their pages, runs of them as ranges, and long lists end in a count.
TEST(FramesText, NamesPages) {
  EXPECT_EQ(to_text({}), "");
  EXPECT_EQ(to_text({8}), "0x40008");
  EXPECT_EQ(to_text({8, 10, 11, 12}), "0x40008, 0x4000a to 0x4000c");
  EXPECT_EQ(to_text({0, 2, 4, 6, 8, 9}), "0x40000, 0x40002, 0x40004, 0x40006 and 2 more");
}

}  // namespace
}  // namespace pkvmemu::campaign
