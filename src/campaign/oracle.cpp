// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/oracle.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "pkvm/guest.h"

namespace pkvmemu::campaign {
namespace {

using machine::ExitReason;
using observe::CallReport;
using observe::GuestReport;
using observe::LoadState;
using observe::LoadTime;
using observe::ModuleReport;
using observe::RunReport;

/// The first module of the list that did not load: what a kernel stops at (pkvm-abi.md 6.2).
const ModuleReport* first_failure(const RunReport& report) {
  const auto found = std::ranges::find_if(report.modules, [](const ModuleReport& module) {
    return module.time == LoadTime::boot && module.state == LoadState::failed;
  });
  return found == report.modules.end() ? nullptr : &*found;
}

const ModuleReport* find_module(const RunReport& report, std::string_view name) {
  const auto found = std::ranges::find(report.modules, name, &ModuleReport::name);
  return found == report.modules.end() ? nullptr : &*found;
}

/// A protected guest whose firmware ran says so first thing.
bool firmware_ran(const GuestReport& guest) {
  return guest.is_protected && !guest.console.empty() &&
         guest.console.front() == pkvm::guest::firmware_greeting;
}

/// The run came to its own end: what is left can be judged.
bool ended_well(const RunReport& report) {
  return report.exit.reason == ExitReason::powered_off && !report.hyp_panic && !report.host_panic;
}

using Checked = std::optional<Finding>;

Checked check_availability(const Baseline& /*baseline*/, const Observed& observed) {
  const ModuleReport* failed = first_failure(observed.report);
  if (failed == nullptr) return {};
  const bool ran = (observed.report.probe && firmware_ran(*observed.report.probe)) ||
                   std::ranges::any_of(observed.report.guests, firmware_ran);
  if (!ran) return {};
  return Finding{"availability",
                 fmt::format("module {} did not load, and yet a protected VM's firmware ran: "
                             "expected none (pkvm-abi.md 6.5)",
                             failed->name)};
}

Checked check_wipe(const Baseline& /*baseline*/, const Observed& observed) {
  const ModuleReport* failed = first_failure(observed.report);
  if (failed == nullptr || !ended_well(observed.report)) return {};
  if (observed.pvmfw == observe::Pvmfw::zeroed || observed.pvmfw == observe::Pvmfw::absent)
    return {};
  return Finding{
      "firmware-not-wiped",
      fmt::format("module {} did not load, and the memory of the firmware is not all zero: {}",
                  failed->name,
                  observed.pvmfw == observe::Pvmfw::intact ? "every byte as it was placed"
                                                           : "something else lies there")};
}

Checked check_deprivilege(const Baseline& baseline, const Observed& observed) {
  const RunReport& report = observed.report;
  if (!ended_well(report) || report.deprivileged || !baseline.report.deprivileged) return {};
  return Finding{"not-deprivileged",
                 "the host kernel went on, and was never deprivileged: expected stage 2 to be on, "
                 "or the host to halt"};
}

/// Frames that the hypervisor may have at the end: what it had before the load that failed, and
/// what the rest of a run without faults takes.
std::size_t hyp_frames_allowed(const Baseline& baseline, const RunReport& report) {
  const ModuleReport* failed = first_failure(report);
  if (failed == nullptr) return baseline.hyp_end;
  const auto before = baseline.hyp_before.find(failed->name);
  if (before == baseline.hyp_before.end()) return baseline.hyp_end;
  const std::size_t later = baseline.hyp_end - std::min(baseline.hyp_end, baseline.hyp_after_loads);
  return before->second + later;
}

/// pkvm-abi.md 3.6, last row: pages of a module whose EL1 init fails stay with the hypervisor.
bool keeps_its_pages(const RunReport& report) {
  const ModuleReport* failed = first_failure(report);
  return failed != nullptr && failed->hyp_va && failed->step == pkvm::event::Step::el1_init;
}

Checked check_leaks(const Baseline& baseline, const Observed& observed) {
  if (!ended_well(observed.report) || keeps_its_pages(observed.report)) return {};
  const std::size_t allowed = hyp_frames_allowed(baseline, observed.report);
  const std::size_t found = observed.frames.hyp_count();
  if (found <= allowed) return {};
  return Finding{"pages-leaked",
                 fmt::format("the hypervisor reaches {} pages at the end, expected at most {}: {} "
                             "never came back to the host",
                             found, allowed, found - allowed)};
}

Checked check_both(const Baseline& baseline, const Observed& observed) {
  if (!ended_well(observed.report) || !observed.frames.has_host()) return {};
  const Frames both = observed.frames.both();
  if (both.size() <= baseline.both_end) return {};
  return Finding{"pages-shared",
                 fmt::format("{} pages can be reached by the host and by the hypervisor, expected "
                             "{}: frames {}",
                             both.size(), baseline.both_end, to_text(both))};
}

Checked check_neither(const Baseline& baseline, const Observed& observed) {
  if (!ended_well(observed.report) || !observed.frames.has_host()) return {};
  const Frames neither = observed.frames.neither();
  if (neither.size() <= baseline.neither_end) return {};
  return Finding{"pages-lost",
                 fmt::format("{} pages can be reached by nobody, expected {}: frames {}",
                             neither.size(), baseline.neither_end, to_text(neither))};
}

Checked check_permissions(const Baseline& baseline, const Observed& observed) {
  const std::size_t found = observed.frames.writable_code();
  if (found <= baseline.writable_code) return {};
  return Finding{"writable-code",
                 fmt::format("the hypervisor can write and execute {} pages, expected {}", found,
                             baseline.writable_code)};
}

Checked check_errors(const Baseline& /*baseline*/, const Observed& observed) {
  for (const Met& met : observed.met) {
    const ModuleReport* module = find_module(observed.report, met.module);
    if (module == nullptr || module->state != LoadState::loaded) continue;
    return Finding{"error-lost",
                   fmt::format("{} failed while module {} was loaded, and the load succeeded: "
                               "expected it to fail",
                               met.site, met.module)};
  }
  return {};
}

const CallReport* same_call(const RunReport& report, const CallReport& call, std::size_t index) {
  if (index >= report.calls.size() || report.calls[index].name != call.name) return nullptr;
  return &report.calls[index];
}

/// Calls of handlers answer what they answer without faults.
Checked check_calls(const Baseline& baseline, const Observed& observed) {
  if (!ended_well(observed.report) || first_failure(observed.report) != nullptr) return {};
  for (std::size_t i = 0; i < baseline.report.calls.size(); ++i) {
    const CallReport& expected = baseline.report.calls[i];
    const CallReport* found = same_call(observed.report, expected, i);
    if (found == nullptr || found->state == expected.state) continue;
    return Finding{
        "call-broken",
        fmt::format("all modules loaded, and the call {} does not end as it does without "
                    "a fault",
                    expected.name)};
  }
  return {};
}

/// The module that has the handler of this number without faults.
const ModuleReport* owner_of(const RunReport& report, unsigned id) {
  for (const ModuleReport& module : report.modules)
    for (const auto& handler : module.handlers)
      if (handler.id == id) return &module;
  return nullptr;
}

/// A module that did not load answers no calls.
Checked check_handlers(const Baseline& baseline, const Observed& observed) {
  const ModuleReport* failed = first_failure(observed.report);
  if (failed == nullptr || keeps_its_pages(observed.report)) return {};
  for (const CallReport& call : observed.report.calls) {
    if (!call.id || !call.result) continue;
    const ModuleReport* owner = owner_of(baseline.report, *call.id);
    constexpr auto not_supported = ~std::uint64_t{0};
    if (owner == nullptr || owner->name != failed->name || call.result->front() == not_supported)
      continue;
    return Finding{"handler-left",
                   fmt::format("module {} did not load, and hypercall {} answers x0 = {:#x}: "
                               "expected -1 (pkvm-abi.md 4.3)",
                               failed->name, *call.id, call.result->front())};
  }
  return {};
}

Checked check_defects(const Baseline& /*baseline*/, const Observed& observed) {
  for (const observe::MetDefect& met : observed.report.defects) {
    if (!met.reproduced) continue;
    for (const pkvm::QuirkRow& row : pkvm::quirk_rows)
      if (row.name == met.name)
        return Finding{
            "shipped-defect",
            fmt::format("{} of {}: {}", row.name, row.versions_in(observed.generation), row.what)};
  }
  return {};
}

Checked check_internal(const Baseline& /*baseline*/, const Observed& observed) {
  if (observed.report.internal_errors.empty()) return {};
  return Finding{"internal", observed.report.internal_errors.front()};
}

constexpr std::array checks{check_availability, check_wipe,     check_deprivilege, check_leaks,
                            check_both,         check_neither,  check_permissions, check_errors,
                            check_calls,        check_handlers, check_defects,     check_internal};

/// Consequences that the specification states. Each is one that some site has in the default
/// firmware: a row that excuses nothing is taken out by a test.
constexpr std::array<Allowance, 0> allowances{};

bool is_excused(const Finding& finding, const Observed& observed) {
  return std::ranges::any_of(observed.met, [&](const Met& met) {
    return allowance_for(met.site, finding.kind) != nullptr;
  });
}

std::string reason_of(const RunReport& report) {
  if (report.hyp_panic)
    return fmt::format("hyp panic at {:#x}, ESR_EL2 {:#x}", report.hyp_panic->elr,
                       report.hyp_panic->esr);
  if (report.host_panic) return fmt::format("host kernel panic: {}", *report.host_panic);
  if (report.exit.reason != ExitReason::powered_off)
    return fmt::format("{} at EL{}, pc {:#x}", machine::name_of(report.exit.reason), report.exit.el,
                       report.exit.pc);
  if (const ModuleReport* failed = first_failure(report))
    return fmt::format("module {}: {}", failed->name, observe::failure_text(*failed));
  return fmt::format("protected VMs: {}", report.protected_vms.reason);
}

bool is_clean(const Baseline& baseline, const RunReport& report) {
  return report.exit_code == baseline.report.exit_code &&
         report.protected_vms.state == baseline.report.protected_vms.state;
}

Outcome outcome_of(const Baseline& baseline, const Observed& observed, bool found) {
  const RunReport& report = observed.report;
  if (report.exit.reason == ExitReason::engine_error) return Outcome::lost;
  if (found) return Outcome::bug;
  if (report.hyp_panic || report.host_panic) return Outcome::panic;
  if (report.exit.reason != ExitReason::powered_off) return Outcome::hang;
  return is_clean(baseline, report) ? Outcome::clean : Outcome::expected_error;
}

}  // namespace

const Allowance* allowance_for(std::string_view site, std::string_view kind) {
  const std::string name(site);
  for (const Allowance& row : allowances)
    if (row.kind == kind && ::fnmatch(std::string(row.site).c_str(), name.c_str(), 0) == 0)
      return &row;
  return nullptr;
}

Judgement judge(const Baseline& baseline, const Observed& observed) {
  Judgement judgement;
  for (const auto check : checks)
    if (auto finding = check(baseline, observed); finding && !is_excused(*finding, observed))
      judgement.findings.push_back(std::move(*finding));
  judgement.outcome = outcome_of(baseline, observed, !judgement.findings.empty());
  if (!judgement.findings.empty())
    judgement.why = judgement.findings.front().text;
  else
    judgement.why =
        judgement.outcome == Outcome::clean ? "nothing came of it" : reason_of(observed.report);
  return judgement;
}

}  // namespace pkvmemu::campaign
