// SPDX-License-Identifier: GPL-2.0-only
#include "observe/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "observe/diagnosis.h"
#include "observe/event_log.h"
#include "pkvm/errno.h"
#include "pkvm/guest.h"

namespace pkvmemu::observe {
namespace {

using machine::ExitReason;
using pkvm::event::Step;

// In the order of pkvm::event::Step.
constexpr auto step_names = std::to_array<std::string_view>(
    {"find-file", "read-file", "resolve-symbols", "relocate", "discover-hyp", "el1-init",
     "phase-check", "section-check", "alloc-module-va", "hyp-reloc", "map-module-page",
     "init-module", "done", "parameters"});
static_assert(step_names.size() == static_cast<std::size_t>(Step::parameters) + 1);

/// The first module of the list that did not load: what a kernel stops at (pkvm-abi.md 6.2).
const ModuleReport* first_failure(const RunReport& report) {
  for (const ModuleReport& module : report.modules)
    if (module.time == LoadTime::boot && module.state == LoadState::failed) return &module;
  return nullptr;
}

std::string answer_text(std::int64_t answer) {
  return answer == 0 ? "0" : error_text(answer);
}

std::string wipe_cause(const RunReport& report, const std::string& told) {
  if (const ModuleReport* module = first_failure(report))
    return fmt::format("module {}: {}", module->name, failure_text(*module));
  return told.empty() ? "the kernel gave no cause" : told;
}

/// The calls that decide, and whatever else was refused: "create 0, set firmware -22 (EINVAL)".
std::string steps_text(const GuestReport& guest) {
  constexpr auto decisive =
      std::to_array<std::string_view>({"create", "firmware info", "set firmware", "run"});
  std::vector<std::string> parts;
  for (const GuestStep& step : guest.steps) {
    if (step.answer == 0 && std::ranges::find(decisive, step.what) == decisive.end()) continue;
    const std::string size = step.what == "firmware info" && step.answer == 0
                                 ? fmt::format(" ({} bytes)", step.told)
                                 : "";
    parts.push_back(fmt::format("{} {}{}", step.what, answer_text(step.answer), size));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// The protected VM that the answer rests on: the kernel's own, or one of the user's that came so
/// far that the kernel started none.
const GuestReport* decisive_guest(const RunReport& report) {
  if (report.probe) return &*report.probe;
  const auto found = std::ranges::find_if(report.guests, firmware_reported_in);
  return found == report.guests.end() ? nullptr : &*found;
}

/// What the run did that leaves protected VMs without firmware, or without protection.
std::optional<std::string> obstacle(const RunReport& report, const EventLog& log, Pvmfw pvmfw) {
  if (report.hyp_panic) return "hyp panic";
  if (report.host_panic) return "host kernel panic";
  if (const auto& cause = log.wiped())
    return fmt::format("{}; pvmfw wiped {}deprivilege", wipe_cause(report, *cause),
                       report.deprivileged ? "before " : "and no ");
  if (!report.deprivileged) {
    if (report.exit.reason == ExitReason::powered_off) return "host not deprivileged";
    return fmt::format("host not deprivileged when the run ended ({})",
                       machine::name_of(report.exit.reason));
  }
  switch (pvmfw) {
    case Pvmfw::absent:
      return "no pvmfw reserved";
    case Pvmfw::zeroed:
      return "pvmfw is zeroed, but the kernel did not report a wipe";
    case Pvmfw::changed:
      return "pvmfw was changed";
    case Pvmfw::intact:
      break;
  }
  return std::nullopt;
}

ProtectedVms judge_protected_vms(const RunReport& report, const EventLog& log, Pvmfw pvmfw) {
  const std::optional<std::string> against = obstacle(report, log, pvmfw);
  const GuestReport* const guest = decisive_guest(report);
  if (guest == nullptr) {
    if (against) return {.state = Availability::not_available, .reason = *against};
    return {.state = Availability::not_verified,
            .reason = "the firmware is intact and the host deprivileged, but no VM was started"};
  }
  const bool reported_in = firmware_reported_in(*guest);
  const std::string steps = steps_text(*guest);
  const std::string seen = fmt::format("{}{}{}", steps, steps.empty() ? "" : ": ",
                                       reported_in ? "pvmfw reported in" : "no pvmfw reported in");
  return {.state = reported_in && !against ? Availability::available : Availability::not_available,
          .reason = against ? fmt::format("{}; {}", *against, seen) : seen,
          .steps = guest->steps};
}

void note_internal_errors(RunReport& report, const EventLog& log) {
  if (report.exit.reason == ExitReason::engine_error)
    report.internal_errors.push_back("CPU engine: " + report.exit.detail);
  const GuestReport* const guest = decisive_guest(report);
  if (guest != nullptr && log.wiped() && firmware_reported_in(*guest))
    report.internal_errors.emplace_back("pvmfw reported in after the kernel had wiped it");
  for (const ModuleReport& module : report.modules)
    if (module.began_deprivileged && module.state == LoadState::loaded && module.hyp_va)
      report.internal_errors.push_back(
          fmt::format("module {} loaded after deprivilege", module.name));
}

/// A load in whose middle the run ended: the module's own code is the first suspect.
void explain_unfinished_load(RunReport& report) {
  for (ModuleReport& module : report.modules) {
    if (module.state != LoadState::unfinished || !module.generation) continue;
    if (report.hyp_panic)
      module.reason = "the hypervisor panicked in the middle of its load: look at its EL2 init";
    else if (report.host_panic)
      module.reason = "the kernel panicked in the middle of its load: look at its EL1 init";
  }
}

void name_places(std::vector<RefusedOp>& ops, const PlaceOf& place_of) {
  constexpr unsigned el2 = 2;
  if (!place_of) return;
  for (RefusedOp& op : ops) {
    // The return address lies behind the call.
    if (op.caller != 0) op.where = place_of(op.caller - sizeof(std::uint32_t), el2).text;
    if (op.subject == pkvm::event::RefusedSubject::function && op.value != 0)
      op.value_place = place_of(op.value, el2).text;
  }
}

bool load_failed(const ModuleReport& module) {
  return module.state != LoadState::loaded && module.state != LoadState::refused;
}

bool guest_failed(const GuestReport& guest) {
  return !guest.ran ||
         std::ranges::any_of(guest.steps, [](const GuestStep& step) { return step.answer != 0; });
}

/// A fatal one ends nothing but the run.
bool attack_failed(const AttackReport& attack) {
  return attack.ended ? !attack.as_specified : !attack.is_fatal;
}

bool never_fired(const FaultReport& fault) {
  return fault.fired == 0 || !fault.note.empty();
}

bool call_failed(const CallReport& call) {
  return call.state != CallState::good && call.state != CallState::refused &&
         call.state != CallState::ended;
}

/// A kernel that is past panicking switches off without a word.
bool is_amid_work(const RunReport& report) {
  return std::ranges::any_of(
             report.modules,
             [](const ModuleReport& module) { return module.state == LoadState::unfinished; }) ||
         std::ranges::any_of(report.calls, [](const CallReport& call) {
           return call.state == CallState::unfinished;
         });
}

bool never_ended(const RunReport& report) {
  const ExitReason reason = report.exit.reason;
  if (reason == ExitReason::halted && was_switched_off(report)) return false;
  return reason == ExitReason::budget_spent || reason == ExitReason::wedged ||
         reason == ExitReason::halted || reason == ExitReason::breakpoint ||
         reason == ExitReason::power_cut;
}

bool applies(ExitCode code, const RunReport& report, const EventLog& log) {
  switch (code) {
    case ExitCode::interrupted:
      return report.exit.reason == ExitReason::stopped;
    case ExitCode::internal:
      return !report.internal_errors.empty();
    case ExitCode::host_panic:
      return report.host_panic && !log.host_panic_follows_hyp_panic();
    case ExitCode::hyp_panic:
      return report.hyp_panic.has_value();
    case ExitCode::no_end:
      return never_ended(report);
    case ExitCode::op_missing:
      return !report.missing_ops.empty();
    case ExitCode::load_failed:
      return std::ranges::any_of(report.modules, load_failed);
    case ExitCode::call_failed:
      return std::ranges::any_of(report.calls, call_failed) ||
             std::ranges::any_of(report.guests, guest_failed) ||
             std::ranges::any_of(report.attacks, attack_failed) ||
             std::ranges::any_of(report.faults, never_fired);
    case ExitCode::good:
      return true;
    case ExitCode::usage:
    case ExitCode::bad_file:
    case ExitCode::unexpected:  // judge_expectations()
    case ExitCode::found:
    case ExitCode::scenario_failed:
      return false;
  }
  return false;
}

ExitCode judge(const RunReport& report, const EventLog& log) {
  for (const ExitCodeRow& row : run_exit_codes)
    if (applies(row.code, report, log)) return row.code;
  std::unreachable();  // the last row always applies
}

/// A plan that says what is expected decides what is good. A fault that never came to pass is not,
/// unless the plan says how many do.
ExitCode judge_expectations(RunReport& report) {
  if (report.expectations.empty() || report.exit_code == ExitCode::interrupted ||
      report.exit_code == ExitCode::internal)
    return report.exit_code;
  for (Expectation& expectation : report.expectations)
    judge(report, expectation);
  const bool counts = std::ranges::any_of(
      report.expectations, [](const Expectation& one) { return one.subject == "fired"; });
  const bool all = std::ranges::all_of(report.expectations, &Expectation::holds);
  const bool happened = counts || std::ranges::none_of(report.faults, never_fired);
  return all && happened ? ExitCode::good : ExitCode::unexpected;
}

}  // namespace

bool firmware_reported_in(const GuestReport& guest) {
  const auto given = [](const GuestStep& step) {
    return step.what == "set firmware" && step.answer == 0;
  };
  return guest.is_protected && std::ranges::any_of(guest.steps, given) && !guest.console.empty() &&
         guest.console.front() == pkvm::guest::firmware_greeting;
}

bool was_switched_off(const RunReport& report) {
  return std::ranges::any_of(report.calls,
                             [](const CallReport& call) { return call.state == CallState::ended; });
}

std::string_view name_of(Step step) {
  const auto index = static_cast<std::size_t>(step);
  return index < step_names.size() ? step_names[index] : "unknown";
}

std::string error_text(std::int64_t error) {
  const std::string_view name = pkvm::errno_name(error);
  return name.empty() ? std::to_string(error) : fmt::format("{} ({})", error, name);
}

std::string failure_text(const ModuleReport& module) {
  switch (module.state) {
    case LoadState::loaded:
      return {};
    case LoadState::refused:
      return "refused: " + error_text(module.error);
    case LoadState::not_tried:
      return "not tried: an earlier module failed";
    case LoadState::unfinished:
      return module.reason.empty() ? "the run ended before its load did" : module.reason;
    case LoadState::failed:
      break;
  }
  if (module.step == Step::init_module) return "init returned " + error_text(module.error);
  if (module.step == Step::el1_init)
    return "EL1 init returned " + error_text(module.error) +
           (module.hyp_va ? "; its EL2 half was loaded before and stays with EL2" : "");
  if (module.step == Step::find_file && module.error == pkvm::negated(pkvm::Errno::enoent))
    return module.reason.empty() ? "no such file" : module.reason;
  if (!module.unresolved.empty())
    return fmt::format("unknown symbol{} {} (--unresolved=stub stands in for such)",
                       module.unresolved.size() == 1 ? "" : "s",
                       fmt::join(module.unresolved, ", "));
  const std::string_view step = module.step ? name_of(*module.step) : "unknown";
  if (module.reason.empty()) return fmt::format("{} failed: {}", step, error_text(module.error));
  return fmt::format("{}: {}, error {}", step, module.reason, error_text(module.error));
}

RunReport make_report(const Facts& facts) {
  EventLog log(facts);
  OpsLog ops(facts.symbols);
  for (const machine::Event& event : facts.events) {
    log.add(event);
    ops.add(event);
  }
  const bool amid_work = is_amid_work(log.report());
  log.add_unmentioned();

  RunReport report = std::move(log.report());
  for (ModuleReport& module : report.modules)
    module.el2_only = std::ranges::any_of(facts.modules, [&](const ModuleRequest& request) {
      return request.el2_only && request.name == module.name;
    });
  if (facts.exit.reason == ExitReason::powered_off && amid_work && !report.host_panic &&
      !report.hyp_panic)
    report.host_panic = "the machine was powered off in the middle of a load or a call";
  report.ops = ops.calls();
  report.world = facts.world;
  report.faults = facts.faults;
  report.expectations = facts.expectations;
  report.seed = facts.seed;
  report.corruptions = facts.corruptions;
  report.exit = facts.exit;
  report.instructions = facts.instructions;
  report.console = facts.console;
  if (report.hyp_panic)
    report.hyp_panic->told = diagnose(*report.hyp_panic, report, facts.place_of);
  for (const ModuleRequest& request : facts.modules)
    for (ModuleReport& module : report.modules)
      if (module.name == request.name) module.fp_code = request.fp_code;
  name_places(report.refused_ops, facts.place_of);
  if (never_ended(report) && facts.place_of)
    report.exit_place = facts.place_of(report.exit.pc, report.exit.el).text;
  explain_unfinished_load(report);
  note_internal_errors(report, log);
  report.protected_vms = judge_protected_vms(report, log, facts.pvmfw);
  report.exit_code = judge(report, log);
  report.exit_code = judge_expectations(report);
  return report;
}

}  // namespace pkvmemu::observe
