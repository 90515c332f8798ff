// SPDX-License-Identifier: GPL-2.0-only
#include "observe/verdict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "observe/refused_op.h"
#include "observe/world_lines.h"
#include "pkvm/errno.h"
#include "pkvm/hypercall.h"
#include "pkvm/quirk.h"
#include "pkvm/stub_words.h"

namespace pkvmemu::observe {
namespace {

using machine::ExitReason;

/// Names and reasons may come from the guest: what would move a cursor becomes '?'.
std::string printable(std::string text) {
  std::ranges::replace_if(text, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }, '?');
  return text;
}

/// "128, 130-132" for the ids that were registered; empty for none.
std::string id_list(const ModuleReport& module) {
  std::vector<unsigned> ids;
  for (const HandlerReport& handler : module.handlers)
    if (handler.id) ids.push_back(*handler.id);
  std::ranges::sort(ids);

  std::vector<std::string> parts;
  for (std::size_t i = 0; i < ids.size();) {
    std::size_t last = i;
    while (last + 1 < ids.size() && ids[last + 1] == ids[last] + 1)
      ++last;
    if (last - i >= 2) {
      parts.push_back(fmt::format("{}-{}", ids[i], ids[last]));
      i = last + 1;
    } else {
      parts.push_back(std::to_string(ids[i++]));
    }
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

VerdictLine line_of(const ModuleReport& module) {
  const auto line = [&](Tone tone, std::string text) {
    return VerdictLine{tone, fmt::format("module {}: {}", module.name, text)};
  };
  switch (module.state) {
    case LoadState::loaded: {
      const std::string ids = id_list(module);
      return line(Tone::good,
                  fmt::format("loaded{}, init {}{}{}",
                              module.el2_only ? " (its EL2 half alone: EL1's was not run)" : "",
                              module.init_result.value_or(0), ids.empty() ? "" : ", hvc ", ids));
    }
    case LoadState::refused:
      return line(Tone::good,
                  fmt::format("late load refused as specified: {}; to have it loaded, name it "
                              "without --late",
                              error_text(module.error)));
    default:
      return line(Tone::bad, "NOT loaded: " + failure_text(module));
  }
}

std::string call_head(const CallReport& call) {
  std::string head = (call.conduit == CallConduit::smc ? "smc " : "call ") + call.name;
  // An id is worth repeating only where the name does not show it.
  if (call.id && call.name != std::to_string(*call.id) && !call.name.starts_with("0x"))
    head += fmt::format(" (hvc {})", *call.id);
  if (!call.args.empty()) head += fmt::format(" ({:#x})", fmt::join(call.args, ", "));
  return head;
}

/// "0x33"; an error has its name behind it.
std::string value_text(std::uint64_t value) {
  const auto error = static_cast<std::int64_t>(value);
  const bool is_error = error < 0 && !pkvm::errno_name(error).empty();
  return is_error ? fmt::format("{:#x} ({})", value, pkvm::errno_name(error))
                  : fmt::format("{:#x}", value);
}

/// x0 in decimal, since it is a status; then the other registers that a call may answer in, and any
/// that came back changed.
std::string registers_text(const CallReport& call) {
  constexpr std::size_t always = 4;
  std::vector<std::uint64_t> x(call.result->begin(), call.result->end());
  x.insert(x.end(), call.more.begin(), call.more.end());
  std::string text = fmt::format("x0 {}", static_cast<std::int64_t>(x[0]));
  for (std::size_t i = 1; i < x.size(); ++i) {
    const std::uint64_t before = i <= call.args.size() ? call.args[i - 1] : 0;
    if (i == 1)
      text += ", x1 " + value_text(x[1]);
    else if (i < always || x[i] != before)
      text += fmt::format(", x{} {:#x}", i, x[i]);
  }
  return text;
}

/// A kernel that is compiled with shadow call stacks does not outlive this.
constexpr std::string_view x18_text =
    ": x18 of its caller came back changed, which is the kernel's shadow call stack; a handler "
    "leaves regs[18] and up alone";

/// Since android15 the dispatcher leaves x0 to the handler (pkvm-abi.md 4.3).
std::string untouched_x0(const CallReport& call) {
  if (!call.id || *call.id < pkvm::first_dynamic_call || (*call.result)[0] != call.function)
    return "";
  return ": x0 is still the number of the call; a handler sets it, to SMCCC_RET_SUCCESS when all "
         "is "
         "well";
}

/// What could have been called instead, for a call by name that nobody registered.
std::string known_handlers(const RunReport& report) {
  std::vector<std::string> names;
  for (const ModuleReport& module : report.modules)
    for (const HandlerReport& handler : module.handlers)
      if (handler.id) names.push_back(handler.symbol);
  if (names.empty()) return "";
  return fmt::format(" (registered: {})", fmt::join(names, ", "));
}

VerdictLine line_of(const CallReport& call, const RunReport& report) {
  const auto line = [&](Tone tone, std::string_view text) {
    return VerdictLine{tone, fmt::format("{}: {}", call_head(call), text)};
  };
  switch (call.state) {
    case CallState::good:
      return line(Tone::good, fmt::format("{}, {} EL2 instructions", registers_text(call),
                                          call.el2_instructions.value_or(0)));
    case CallState::failed:
      return line(Tone::bad, registers_text(call) +
                                 (call.x18_changed ? std::string(x18_text) : untouched_x0(call)));
    case CallState::refused:
      return line(Tone::good, "refused, " + registers_text(call));
    case CallState::not_made:
      return line(Tone::bad, "not made: " + call.reason + known_handlers(report));
    case CallState::unfinished:
      return line(Tone::bad, call.function ? "not answered: the run ended inside it"
                                           : "not made: the run ended before it");
    case CallState::ended:
      return line(Tone::good, "the run ended with it");
  }
  std::unreachable();
}

VerdictLine line_of(const TouchReport& touch) {
  const std::string head = "touch " + touch.name;
  switch (touch.state) {
    case TouchState::done:
      return {Tone::good, touch.name.starts_with('r') ? fmt::format("{}: {:#x}", head, touch.value)
                                                      : head + ": done"};
    case TouchState::aborted:
      return {Tone::neutral,
              fmt::format("{}: aborted, ESR_EL1 {:#x}, FAR_EL1 {:#x}", head, touch.esr, touch.far)};
    case TouchState::unfinished:
      return {Tone::bad, head + ": not done: the run ended before or inside it"};
  }
  std::unreachable();
}

VerdictLine line_of(const GuestReport& guest) {
  const std::string head = fmt::format("{} {}", guest.is_protected ? "pvm" : "vm", guest.name);
  for (const GuestStep& step : guest.steps) {
    if (step.answer == 0) continue;
    if (step.what == "payload")
      return {Tone::bad,
              head +
                  ": no such program: the kernel carries hello, answers, calls, compute, exits, "
                  "ffa, registers, secret, share, trespass, smp and traps; any other is a path in "
                  "the initramfs"};
    return {Tone::bad, fmt::format("{}: {} answered {}", head, step.what,
                                   error_text(static_cast<int>(step.answer)))};
  }
  if (!guest.ran) return {Tone::bad, head + ": the run ended inside it"};
  return {Tone::good, head + ": ran to its end and was torn down"};
}

/// No machine traps it.
std::string fp_text(const ModuleReport& module) {
  return fmt::format(
      "module {}: uses FP and SIMD registers at EL2, first at {}: they hold values of what the "
      "host "
      "runs, and nobody saves them; compile the EL2 half with -mgeneral-regs-only",
      module.name, module.fp_code);
}

VerdictLine line_of(const ProtectedVms& vms) {
  switch (vms.state) {
    case Availability::available:
      return {Tone::good, fmt::format("protected VMs: available ({})", vms.reason)};
    case Availability::not_available:
      return {Tone::bad, "protected VMs: NOT available: " + vms.reason};
    case Availability::not_verified:
      return {Tone::neutral, "protected VMs: not verified: " + vms.reason};
  }
  std::unreachable();
}

/// Those that were answered as specified are counted; the others have a line each.
void add_attacks(const RunReport& report, std::vector<VerdictLine>& lines) {
  std::size_t good = 0;
  for (const AttackReport& attack : report.attacks) {
    if (attack.ended && attack.as_specified) {
      ++good;
      continue;
    }
    const std::string head = fmt::format("attack {}: ", attack.name);
    if (attack.is_fatal && !attack.ended && report.hyp_panic)
      lines.push_back({Tone::neutral, head + "the hypervisor panicked, as specified"});
    else
      lines.push_back({Tone::bad, head + (attack.ended ? "NOT as specified: " + attack.wrong
                                                       : "the run ended inside it")});
  }
  if (good != 0)
    lines.push_back({Tone::good, fmt::format("attacks: {} answered as specified, every page came "
                                             "back to its owner",
                                             good)});
}

/// What stopped a run that did not come to its own end, and what to do about it.
std::optional<std::string> ending_text(const RunReport& report) {
  const machine::Exit& exit = report.exit;
  const std::string where =
      fmt::format("at EL{}{}, PC {:#x}", exit.el,
                  report.exit_place.empty() ? "" : " in " + report.exit_place, exit.pc);
  const std::string detail = exit.detail.empty() ? "" : ": " + exit.detail;
  switch (exit.reason) {
    case ExitReason::powered_off:
      return std::nullopt;
    case ExitReason::reset:
      return "run: the guest asked for a reset" + detail;
    case ExitReason::halted:
      if (was_switched_off(report)) return "run: the only CPU is off";
      return fmt::format("run: the guest waits for ever (WFI) {}{}", where, detail);
    case ExitReason::budget_spent:
      if (!exit.detail.empty()) return fmt::format("run: the budget was ended {}{}", where, detail);
      return fmt::format(
          "run: instruction budget spent after {} instructions, {}; {}raise it with --budget",
          report.instructions, where,
          report.exit_place.empty() ? "" : "look for a loop there, or ");
    case ExitReason::breakpoint:
      return fmt::format("run: breakpoint {}", where);
    case ExitReason::wedged:
      return fmt::format("run: the guest faults on its own exception vector for ever, {}{}", where,
                         detail);
    case ExitReason::stopped:
      return fmt::format("run: interrupted {}", where);
    case ExitReason::power_cut:
      return fmt::format("run: the power was cut {}{}", where, detail);
    case ExitReason::engine_error:
      return std::nullopt;  // told with the internal errors
  }
  return std::nullopt;
}

/// What a declared one answers stands in its row.
VerdictLine line_of(const StubUse& use) {
  const auto row = use.declared ? pkvm::find_stub(use.symbol) : std::nullopt;
  return {Tone::neutral,
          fmt::format("stub {}: called {} time{}, {}", use.symbol, use.count,
                      use.count == 1 ? "" : "s", row ? pkvm::stub_words(*row) : "answered 0")};
}

/// The name comes from the guest; a run that never got its hypervisor up has no generation.
VerdictLine line_of(const MetDefect& defect, std::optional<pkvm::Generation> generation) {
  const auto* const row = std::ranges::find(pkvm::quirk_rows, defect.name, &pkvm::QuirkRow::name);
  if (row == pkvm::quirk_rows.end() || !generation) return {Tone::neutral, "defect " + defect.name};
  const std::string head =
      fmt::format("defect {} of {} kernels", defect.name, row->versions_in(*generation));
  if (defect.reproduced) return {Tone::bad, fmt::format("{} reproduced: {}", head, row->what)};
  return {Tone::neutral,
          fmt::format("{} avoided: there {} (--as-shipped shows it)", head, row->what)};
}

VerdictLine line_of(const FaultReport& fault) {
  const auto times = [](std::uint64_t count) {
    return fmt::format("{} time{}", count, count == 1 ? "" : "s");
  };
  if (!fault.note.empty())
    return {Tone::bad, fmt::format("fault {}: NOT done: {}", fault.site, fault.note)};
  if (fault.fired == 0)
    return {Tone::bad, fmt::format("fault {}: NOT injected: it was to fail the {}. time, and was "
                                   "reached {}{}",
                                   fault.site, fault.nth, times(fault.reached),
                                   fault.has_conditions ? ", by whatever path and lot" : "")};
  if (!fault.fails_a_step)
    return {Tone::neutral,
            fmt::format("fault {}: reached {}, {} {}, first at {}", fault.site,
                        times(fault.reached), fault.action, times(fault.fired), fault.where)};
  const std::string answer =
      fault.answer < 0 ? " with " + error_text(fault.answer) : ": it found nothing";
  return {Tone::neutral,
          fmt::format("fault {}: reached {}, failed {} from the {}. on{}", fault.site,
                      times(fault.reached), times(fault.fired), fault.nth, answer)};
}

void add_plan(const RunReport& report, std::vector<VerdictLine>& lines) {
  for (const std::string& corruption : report.corruptions)
    lines.push_back({Tone::neutral, "corrupted " + corruption});
  if (report.seed)
    lines.push_back(
        {Tone::neutral, fmt::format("faults come by lot; this one again: seed: {}", *report.seed)});
}

VerdictLine line_of(const Expectation& expectation) {
  const std::string head = fmt::format("expected {}: {}", expectation.subject, expectation.wanted);
  if (expectation.holds) return {Tone::good, head};
  return {Tone::bad,
          fmt::format("{}: NOT so ({}), found: {}", head, expectation.where, expectation.found)};
}

void add_panics(const RunReport& report, std::vector<VerdictLine>& lines) {
  if (report.hyp_panic) {
    const HypPanic& panic = *report.hyp_panic;
    const PanicDiagnosis& told = panic.told;
    std::string text = "hyp panic: " + told.what;
    if (!told.where.empty()) text += ", in " + told.where;
    if (!told.caller.empty()) text += ", called from " + told.caller;
    lines.push_back(
        {Tone::bad, fmt::format("{}: ESR_EL2 {:#x}, ELR_EL2 {:#x}, FAR_EL2 {:#x}, HPFAR_EL2 {:#x}",
                                text, panic.esr, panic.elr, panic.far, panic.hpfar)});
    if (!told.advice.empty()) lines.push_back({Tone::bad, "advice: " + told.advice});
  }
  // The panic that a hyp panic brings to the host says nothing more.
  if (report.host_panic && report.exit_code != ExitCode::hyp_panic)
    lines.push_back({Tone::bad, "host panic: " + *report.host_panic});
}

}  // namespace

std::vector<VerdictLine> verdict_lines(const RunReport& report) {
  std::vector<VerdictLine> lines;
  for (const CallReport& call : report.calls)
    lines.push_back(line_of(call, report));
  for (const TouchReport& touch : report.touches)
    lines.push_back(line_of(touch));
  for (const GuestReport& guest : report.guests)
    lines.push_back(line_of(guest));
  add_attacks(report, lines);
  add_world(report.world, lines);
  for (const FaultReport& fault : report.faults)
    lines.push_back(line_of(fault));
  add_plan(report, lines);
  // The others were shown as they happened.
  for (const OpCall& op : report.ops)
    if (!op.result) lines.push_back({Tone::bad, line_of(op)});
  for (const MissingOp& op : report.missing_ops)
    lines.push_back(
        {Tone::bad, fmt::format("op {} (slot {}) does not exist yet; used at hyp VA {:#x}", op.name,
                                op.slot, op.caller)});
  for (const ModuleReport& module : report.modules)
    if (!module.fp_code.empty() && module.state == LoadState::loaded)
      lines.push_back({Tone::neutral, fp_text(module)});
  for (const RefusedOp& op : report.refused_ops)
    lines.push_back({Tone::neutral, line_of(op)});
  for (const MetDefect& defect : report.defects)
    lines.push_back(line_of(defect, report.generation));
  for (const StubUse& use : report.stub_uses)
    lines.push_back(line_of(use));
  add_panics(report, lines);
  for (const std::string& error : report.internal_errors)
    lines.push_back({Tone::bad, "pkvm-emu bug, please report: " + error});
  if (const auto ending = ending_text(report)) lines.push_back({Tone::bad, *ending});
  // Last, whatever happened: the two answers that every run is asked for.
  for (const ModuleReport& module : report.modules)
    lines.push_back(line_of(module));
  lines.push_back(line_of(report.protected_vms));
  for (const Expectation& expectation : report.expectations)
    lines.push_back(line_of(expectation));
  for (VerdictLine& line : lines)
    line.text = printable(std::move(line.text));
  return lines;
}

}  // namespace pkvmemu::observe
