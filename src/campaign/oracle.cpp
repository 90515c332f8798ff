// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/oracle.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "pkvm/quirk.h"

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

/// The run came to its own end: what is left can be judged.
bool ended_well(const RunReport& report) {
  return report.exit.reason == ExitReason::powered_off && !report.hyp_panic && !report.host_panic;
}

/// The hypervisor took over: before that there is nothing to protect, and nobody to do it.
bool hypervisor_started(const RunReport& report) {
  return report.generation.has_value();
}

/// A VM could not be torn down, and the kernel says so: what it had stays where it is.
bool keeps_a_vm(const RunReport& report) {
  const auto stuck = [](const GuestReport& guest) {
    return std::ranges::any_of(guest.steps, [](const observe::GuestStep& step) {
      return step.what == "tear down" && step.answer != 0;
    });
  };
  return (report.probe && stuck(*report.probe)) || std::ranges::any_of(report.guests, stuck);
}

using Checked = std::optional<Finding>;

Checked check_availability(const Baseline& /*baseline*/, const Observed& observed) {
  const bool ran = (observed.report.probe && firmware_reported_in(*observed.report.probe)) ||
                   std::ranges::any_of(observed.report.guests, observe::firmware_reported_in);
  if (!ran) return {};
  if (!observed.report.deprivileged)
    return Finding{"availability",
                   "the host was not deprivileged, and yet a protected VM's firmware ran"};
  const ModuleReport* failed = first_failure(observed.report);
  if (failed == nullptr) return {};
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
  if (!ended_well(report) || report.deprivileged || !baseline.report.deprivileged ||
      !hypervisor_started(report))
    return {};
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
  if (!ended_well(baseline.report)) return {};
  if (!ended_well(observed.report) || keeps_its_pages(observed.report) ||
      keeps_a_vm(observed.report))
    return {};
  const std::size_t allowed = hyp_frames_allowed(baseline, observed.report);
  const std::size_t found = observed.frames.hyp_count();
  if (found <= allowed) return {};
  const bool loaded = first_failure(observed.report) == nullptr;
  return Finding{loaded ? "pages-kept" : "pages-leaked",
                 fmt::format("the hypervisor reaches {} pages at the end, expected at most {}: {} "
                             "never came back to the host",
                             found, allowed, found - allowed)};
}

/// Asked only where released kernels' defects are of interest: 3.6 lists it for all of them.
/// Without a fault the module lies where the next addresses are.
Checked check_addresses(const Baseline& baseline, const Observed& observed) {
  const ModuleReport* failed = first_failure(observed.report);
  if (failed == nullptr || !observed.next_module || keeps_its_pages(observed.report)) return {};
  const ModuleReport* clean = find_module(baseline.report, failed->name);
  if (clean == nullptr || !clean->hyp_va || *observed.next_module <= *clean->hyp_va) return {};
  return Finding{"addresses-leaked",
                 fmt::format("module {} did not load, and its addresses from {:#x} stay taken: the "
                             "next module would lie at {:#x} (pkvm-abi.md 3.6)",
                             failed->name, *clean->hyp_va, *observed.next_module)};
}

/// Who reaches a page is as without faults, unless something stays behind that the specification
/// lets stay: what a module shared with the host or took from it before its EL1 init failed is not
/// undone either.
bool ownership_can_be_judged(const Baseline& baseline, const Observed& observed) {
  return ended_well(baseline.report) && ended_well(observed.report) && observed.frames.has_host() &&
         !keeps_its_pages(observed.report) && !keeps_a_vm(observed.report);
}

Checked check_both(const Baseline& baseline, const Observed& observed) {
  if (!ownership_can_be_judged(baseline, observed)) return {};
  const Frames both = observed.frames.both();
  if (both.size() <= baseline.both_end) return {};
  return Finding{"pages-shared",
                 fmt::format("{} pages can be reached by the host and by the hypervisor, expected "
                             "{}: frames {}",
                             both.size(), baseline.both_end, to_text(both))};
}

Checked check_neither(const Baseline& baseline, const Observed& observed) {
  if (!ownership_can_be_judged(baseline, observed)) return {};
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

/// A probe that answers an error fails no load: the driver is registered all the same, and its
/// device has none (docs/modules.md). A probe that loses the error is like an init that does.
Checked check_errors(const Baseline& /*baseline*/, const Observed& observed) {
  for (const Met& met : observed.met) {
    if (met.probe_failed) continue;
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

/// Every module is what it is without faults; a hypervisor that never started has none.
bool loaded_the_same(const RunReport& clean, const RunReport& report) {
  return std::ranges::equal(clean.modules, report.modules, {}, &ModuleReport::state,
                            &ModuleReport::state);
}

/// Calls of handlers answer what they answer without faults; what a handler answers that was itself
/// refused something is its own.
Checked check_calls(const Baseline& baseline, const Observed& observed) {
  if (!ended_well(baseline.report) || std::ranges::any_of(observed.met, &Met::in_call)) return {};
  if (!ended_well(observed.report) || !loaded_the_same(baseline.report, observed.report)) return {};
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

/// The hypervisor found itself in a state that it must not go on in, and stopped the computer:
/// BUG(), which is BRK #0x800 in its own code (pkvm-abi.md 8.5). The host is halted with it, as it
/// must.
bool stopped_itself(const Observed& observed) {
  constexpr std::uint64_t brk_bug = 0xf200'0800;
  constexpr std::uint64_t largest_image = 0x80'0000;
  const auto& panic = observed.report.hyp_panic;
  return panic && panic->esr == brk_bug && panic->elr - observed.hyp_image < largest_image;
}

Checked check_hyp_panic(const Baseline& /*baseline*/, const Observed& observed) {
  const auto& panic = observed.report.hyp_panic;
  if (!panic || stopped_itself(observed)) return {};
  return Finding{"hyp-panic", fmt::format("the hypervisor panicked at {:#x}, ESR_EL2 {:#x}, "
                                          "FAR_EL2 {:#x}",
                                          panic->elr, panic->esr, panic->far)};
}

Checked check_host_panic(const Baseline& /*baseline*/, const Observed& observed) {
  if (!observed.report.host_panic || observed.report.hyp_panic) return {};
  return Finding{"host-panic",
                 fmt::format("the host kernel panicked: {}", *observed.report.host_panic)};
}

Checked check_end(const Baseline& /*baseline*/, const Observed& observed) {
  const RunReport& report = observed.report;
  if (report.exit.reason == ExitReason::powered_off || report.hyp_panic || report.host_panic)
    return {};
  return Finding{"hang",
                 fmt::format("the run did not end: {} at EL{}, pc {:#x}",
                             machine::name_of(report.exit.reason), report.exit.el, report.exit.pc)};
}

Checked check_internal(const Baseline& /*baseline*/, const Observed& observed) {
  if (observed.report.internal_errors.empty()) return {};
  return Finding{"internal", observed.report.internal_errors.front()};
}

/// pkvm-abi.md 6.5: what a kernel answers who asks for firmware after it was cleared; 6.6 takes
/// any.
constexpr std::array<bool, pkvm::generation_count> refuses_wiped_firmware{true, false, true};

Checked check_offer(const Baseline& /*baseline*/, const Observed& observed) {
  const ModuleReport* failed = first_failure(observed.report);
  const auto& probe = observed.report.probe;
  const bool refuses = refuses_wiped_firmware.at(static_cast<std::size_t>(observed.generation));
  if (failed == nullptr || !probe || !refuses || !hypervisor_started(observed.report)) return {};
  const auto taken = std::ranges::find_if(probe->steps, [](const observe::GuestStep& step) {
    return step.what == "set firmware" && step.answer == 0;
  });
  if (taken == probe->steps.end()) return {};
  return Finding{"firmware-offered",
                 fmt::format("module {} did not load, and a protected VM may still ask for the "
                             "firmware: expected -22 (EINVAL)",
                             failed->name)};
}

constexpr std::array checks{check_availability, check_wipe,      check_deprivilege, check_leaks,
                            check_addresses,    check_offer,     check_both,        check_neither,
                            check_permissions,  check_errors,    check_calls,       check_handlers,
                            check_defects,      check_hyp_panic, check_host_panic,  check_end,
                            check_internal};

/// Consequences that the specification states.
constexpr std::array allowances{
    // What a damaged module does at EL2 is its own: nothing stands between it and the hypervisor.
    Allowance{"corrupt:*", "hyp-panic", "a module's EL2 half is trusted"},
    Allowance{"corrupt:*", "host-panic", "a module's EL1 half is trusted by the kernel"},
    Allowance{"corrupt:*", "hang", "a module's code may loop"},
    Allowance{"corrupt:*", "pages-kept", "a section that has become larger takes more pages"},
    Allowance{"host.hvc.prot_finalize", "not-deprivileged",
              "6.3: 6.1 and 6.12 print an error, and go on"},
    Allowance{"hyp.finalize", "not-deprivileged", "6.3: 6.1 and 6.12 print an error, and go on"},
    Allowance{"load.hvc.host_unshare_hyp", "pages-kept", "3.2, step 15: nothing is done about it"},
    Allowance{"load.hvc.host_unshare_hyp", "pages-shared",
              "3.2, step 15: nothing is done about it"},
    Allowance{"load.hvc.host_unshare_hyp", "error-lost", "3.2, step 15: nothing is done about it"},
    Allowance{"hyp.unshare", "pages-kept", "3.2, step 15: nothing is done about it"},
    Allowance{"hyp.unshare", "pages-shared", "3.2, step 15: nothing is done about it"},
    Allowance{
        "hyp.pool.take", "error-lost",
        "7.8: without a page for a table the host's device mappings go, and it is tried again"},
    Allowance{"hyp.events.add", "error-lost", "3.2, step 10: it is logged, and the load goes on"},
    Allowance{"hyp.unshare", "error-lost", "3.2, step 15: nothing is done about it"},
    Allowance{"host.hvc.prot_finalize", "host-panic",
              "6.3: a kernel that cannot drop privileges on a CPU stops"},
    Allowance{"host.wipe", "firmware-not-wiped",
              "6.5: memory that cannot be mapped cannot be cleared; nobody gets it"},
    Allowance{"hyp.finalize", "host-panic",
              "6.3: a kernel that cannot drop privileges on a CPU stops"},
};

/// Where a call meets the fault, what it was asked to give back stays where it is, and it says so;
/// where the fault comes again, so does what would have been undone.
constexpr std::array undo_allowances{
    Allowance{"hyp.mod_prot", "pages-lost", "1.7: the host's rights stay as they were"},
};

bool is_excused(const Finding& finding, const Observed& observed) {
  return std::ranges::any_of(observed.met, [&](const Met& met) {
    const auto fits = [&](const Allowance& row) {
      return row.site == met.site && row.kind == finding.kind;
    };
    return allowance_for(met.site, finding.kind) != nullptr ||
           ((met.in_call || met.again) && std::ranges::any_of(undo_allowances, fits));
  });
}

std::string reason_of(const RunReport& report) {
  if (report.hyp_panic)
    return fmt::format("the hypervisor stopped itself, and the host with it: BUG at {:#x}",
                       report.hyp_panic->elr);
  if (report.host_panic)
    return fmt::format("the host kernel stopped itself: {}", *report.host_panic);
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

/// What finding makes which outcome; all others make a bug.
struct OutcomeRow {
  std::string_view kind;
  Outcome outcome;
};
constexpr std::array outcome_rows{
    OutcomeRow{.kind = "hyp-panic", .outcome = Outcome::panic},
    OutcomeRow{.kind = "host-panic", .outcome = Outcome::panic},
    OutcomeRow{.kind = "hang", .outcome = Outcome::hang},
};

Outcome outcome_of(const Finding& finding) {
  const auto* const row = std::ranges::find(outcome_rows, finding.kind, &OutcomeRow::kind);
  return row == outcome_rows.end() ? Outcome::bug : row->outcome;
}

Outcome outcome_of(const Baseline& baseline, const RunReport& report,
                   const std::vector<Finding>& findings) {
  if (report.exit.reason == ExitReason::engine_error) return Outcome::lost;
  if (findings.empty())
    return is_clean(baseline, report) ? Outcome::clean : Outcome::expected_error;
  return std::ranges::any_of(findings,
                             [](const Finding& one) { return outcome_of(one) == Outcome::bug; })
             ? Outcome::bug
             : outcome_of(findings.front());
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
  judgement.outcome = outcome_of(baseline, observed.report, judgement.findings);
  if (!judgement.findings.empty())
    judgement.why = judgement.findings.front().text;
  else
    judgement.why =
        judgement.outcome == Outcome::clean ? "nothing came of it" : reason_of(observed.report);
  return judgement;
}

}  // namespace pkvmemu::campaign
