// SPDX-License-Identifier: GPL-2.0-only
#include "convert.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "observe/verdict.h"

namespace pkvmemu::api {
namespace {

struct GenerationRow {
  Generation ours;
  pkvm::Generation kernel;
};
constexpr std::array generation_rows = {
    GenerationRow{Generation::android14_6_1, pkvm::Generation::android14_6_1},
    GenerationRow{Generation::android15_6_6, pkvm::Generation::android15_6_6},
    GenerationRow{Generation::android16_6_12, pkvm::Generation::android16_6_12},
};
static_assert(generation_rows.size() == pkvm::generation_count);

LoadResult::State state_of(observe::LoadState state) {
  switch (state) {
    case observe::LoadState::loaded:
      return LoadResult::State::loaded;
    case observe::LoadState::failed:
      return LoadResult::State::failed;
    case observe::LoadState::refused:
      return LoadResult::State::refused;
    case observe::LoadState::not_tried:
      return LoadResult::State::not_tried;
    case observe::LoadState::unfinished:
      return LoadResult::State::unfinished;
  }
  return LoadResult::State::unfinished;
}

Verdict::ProtectedVms state_of(observe::Availability availability) {
  switch (availability) {
    case observe::Availability::available:
      return Verdict::ProtectedVms::available;
    case observe::Availability::not_available:
      return Verdict::ProtectedVms::unavailable;
    case observe::Availability::not_verified:
      return Verdict::ProtectedVms::not_verified;
  }
  return Verdict::ProtectedVms::unavailable;
}

struct EndRow {
  machine::ExitReason reason;
  Verdict::End end;
};
constexpr std::array end_rows = {
    EndRow{machine::ExitReason::powered_off, Verdict::End::powered_off},
    EndRow{machine::ExitReason::reset, Verdict::End::reset},
    EndRow{machine::ExitReason::halted, Verdict::End::halted},
    EndRow{machine::ExitReason::budget_spent, Verdict::End::budget_spent},
    EndRow{machine::ExitReason::wedged, Verdict::End::wedged},
};

Verdict::End end_of(machine::ExitReason reason) {
  const auto* const row = std::ranges::find(end_rows, reason, &EndRow::reason);
  return row == end_rows.end() ? Verdict::End::halted : row->end;
}

}  // namespace

pkvm::Generation to_kernel(Generation generation) {
  return std::ranges::find(generation_rows, generation, &GenerationRow::ours)->kernel;
}

Generation to_public(pkvm::Generation generation) {
  return std::ranges::find(generation_rows, generation, &GenerationRow::kernel)->ours;
}

CallResult to_public(const observe::CallReport& call) {
  CallResult result{.name = call.name, .arguments = call.args, .reason = call.reason};
  if (call.state == observe::CallState::not_made) result.state = CallResult::State::not_made;
  if (!call.result) return result;
  result.state = CallResult::State::answered;
  std::ranges::copy(*call.result, result.x.begin());
  const std::span more = std::span(result.x).subspan(call.result->size());
  std::copy_n(call.more.begin(), std::min(call.more.size(), more.size()), more.begin());
  result.el2_instructions = call.el2_instructions.value_or(0);
  return result;
}

LoadResult to_public(const observe::ModuleReport& module) {
  LoadResult result{.module = module.name,
                    .state = state_of(module.state),
                    .status = module.error,
                    .reason = observe::failure_text(module)};
  for (const observe::HandlerReport& handler : module.handlers)
    if (handler.id) result.handlers.push_back({.symbol = handler.symbol, .number = *handler.id});
  return result;
}

TouchResult to_public(const observe::TouchReport& touch) {
  TouchResult result{.value = touch.value, .esr = touch.esr, .far = touch.far};
  if (touch.state == observe::TouchState::done) result.state = TouchResult::State::done;
  if (touch.state == observe::TouchState::aborted) result.state = TouchResult::State::aborted;
  return result;
}

GuestResult to_public(const observe::GuestReport& guest) {
  GuestResult result{.program = guest.name,
                     .is_protected = guest.is_protected,
                     .ran_to_its_end = guest.ran,
                     .console = guest.console};
  for (const observe::GuestStep& step : guest.steps)
    result.steps.push_back({.what = step.what, .status = step.answer});
  return result;
}

FaultSite to_public(const fault::Site& site) {
  return {.name = site.name, .meaning = site.meaning, .level = site.el};
}

Verdict to_public(const observe::RunReport& report) {
  Verdict verdict;
  verdict.protected_vms = state_of(report.protected_vms.state);
  verdict.protected_vms_reason = report.protected_vms.reason;
  std::ranges::transform(report.modules, std::back_inserter(verdict.modules),
                         [](const auto& module) { return to_public(module); });
  for (const observe::FaultReport& fault : report.faults)
    verdict.faults.push_back({.site = fault.site, .reached = fault.reached, .fired = fault.fired});
  verdict.deprivileged = report.deprivileged;
  verdict.hyp_panic = report.hyp_panic.has_value();
  verdict.host_panic = report.host_panic;
  verdict.end = end_of(report.exit.reason);
  verdict.exit_code = static_cast<int>(report.exit_code);
  for (const observe::VerdictLine& line : observe::verdict_lines(report))
    verdict.lines.push_back(line.text);
  verdict.console = report.console;
  verdict.instructions = report.instructions;
  return verdict;
}

}  // namespace pkvmemu::api
