// SPDX-License-Identifier: GPL-2.0-only
// How the values of the C++ interface print, which is what a failing test shows.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <string>

#include "convert.h"
#include "observe/report.h"
#include "pkvmemu/error.h"
#include "pkvmemu/results.h"
#include "pkvmemu/types.h"

namespace pkvmemu::inline v1 {
namespace {

constexpr std::array<std::string_view, generations.size()> identifiers = {
    "android14_6_1", "android15_6_6", "android16_6_12"};

constexpr std::array<std::string_view, 4> stage_names = {"before_modules", "before_deprivilege",
                                                         "after_deprivilege", "ended"};
static_assert(stage_names.size() == static_cast<std::size_t>(Stage::ended) + 1);

constexpr std::array<std::string_view, 3> call_states = {"answered", "not_made", "never_returned"};
constexpr std::array<std::string_view, 5> load_states = {"loaded", "failed", "refused", "not_tried",
                                                         "unfinished"};
constexpr std::array<std::string_view, 3> touch_states = {"done", "aborted", "never_returned"};
constexpr std::array<std::string_view, 3> protected_vms_states = {"available", "unavailable",
                                                                  "not_verified"};
constexpr std::array<std::string_view, 5> ends = {"powered_off", "reset", "halted", "budget_spent",
                                                  "wedged"};
static_assert(call_states.size() ==
              static_cast<std::size_t>(CallResult::State::never_returned) + 1);
static_assert(load_states.size() == static_cast<std::size_t>(LoadResult::State::unfinished) + 1);
static_assert(touch_states.size() ==
              static_cast<std::size_t>(TouchResult::State::never_returned) + 1);
static_assert(protected_vms_states.size() ==
              static_cast<std::size_t>(Verdict::ProtectedVms::not_verified) + 1);
static_assert(ends.size() == static_cast<std::size_t>(Verdict::End::wedged) + 1);

std::string text_of(Status status) {
  return observe::error_text(status.value());
}

std::string_view verdict_of(LoadResult::State state) {
  switch (state) {
    case LoadResult::State::loaded:
      return "loaded";
    case LoadResult::State::failed:
      return "NOT loaded";
    case LoadResult::State::refused:
      return "refused, as it has to be";
    case LoadResult::State::not_tried:
    case LoadResult::State::unfinished:
      return "not loaded";
  }
  return "";
}

}  // namespace

Exception::~Exception() = default;
UsageError::~UsageError() = default;
FileError::~FileError() = default;
InternalError::~InternalError() = default;

std::string_view name_of(Generation generation) {
  return pkvm::info(api::to_kernel(generation)).kmi;
}

std::string_view identifier_of(Generation generation) {
  return identifiers.at(static_cast<std::size_t>(generation));
}

std::ostream& operator<<(std::ostream& stream, Generation generation) {
  return stream << name_of(generation);
}

std::ostream& operator<<(std::ostream& stream, Status status) {
  return stream << text_of(status);
}

std::ostream& operator<<(std::ostream& stream, PhysicalAddress address) {
  return stream << fmt::format("{:#x}", address.value);
}

std::ostream& operator<<(std::ostream& stream, Stage stage) {
  return stream << stage_names.at(static_cast<std::size_t>(stage));
}

std::ostream& operator<<(std::ostream& stream, CallResult::State state) {
  return stream << call_states.at(static_cast<std::size_t>(state));
}

std::ostream& operator<<(std::ostream& stream, LoadResult::State state) {
  return stream << load_states.at(static_cast<std::size_t>(state));
}

std::ostream& operator<<(std::ostream& stream, TouchResult::State state) {
  return stream << touch_states.at(static_cast<std::size_t>(state));
}

std::ostream& operator<<(std::ostream& stream, Verdict::ProtectedVms state) {
  return stream << protected_vms_states.at(static_cast<std::size_t>(state));
}

std::ostream& operator<<(std::ostream& stream, Verdict::End end) {
  return stream << ends.at(static_cast<std::size_t>(end));
}

std::ostream& operator<<(std::ostream& stream, const CallResult& result) {
  stream << fmt::format("{}({:#x})", result.name, fmt::join(result.arguments, ", "));
  switch (result.state) {
    case CallResult::State::not_made:
      return stream << ": not made: " << result.reason;
    case CallResult::State::never_returned:
      return stream << ": never returned";
    case CallResult::State::answered:
      break;
  }
  return stream << fmt::format(": x0 {:#x}, x1 {:#x}, x2 {:#x}, x3 {:#x}", result.x[0], result.x[1],
                               result.x[2], result.x[3]);
}

std::ostream& operator<<(std::ostream& stream, const LoadResult& result) {
  stream << "module " << result.module << ": " << verdict_of(result.state);
  if (!result.status.ok()) stream << ", " << result.status;
  if (!result.reason.empty()) stream << " (" << result.reason << ")";
  return stream;
}

std::ostream& operator<<(std::ostream& stream, const TouchResult& result) {
  switch (result.state) {
    case TouchResult::State::done:
      return stream << fmt::format("done, value {:#x}", result.value);
    case TouchResult::State::aborted:
      return stream << fmt::format("aborted, ESR_EL1 {:#x}, FAR_EL1 {:#x}", result.esr, result.far);
    case TouchResult::State::never_returned:
      break;
  }
  return stream << "never returned";
}

std::ostream& operator<<(std::ostream& stream, const GuestResult& result) {
  stream << (result.is_protected ? "protected VM " : "VM ") << result.program
         << (result.ran_to_its_end ? ": ran to its end" : ": did NOT run to its end");
  for (const GuestResult::Step& step : result.steps)
    stream << ", " << step.what << " " << step.status;
  for (const std::string& line : result.console)
    stream << "\n  " << line;
  return stream;
}

std::ostream& operator<<(std::ostream& stream, const FaultResult& result) {
  return stream << fmt::format("fault {}: reached {} times, failed {} times", result.site,
                               result.reached, result.fired);
}

std::ostream& operator<<(std::ostream& stream, const FaultSite& site) {
  return stream << fmt::format("{} (EL{}: {})", site.name, site.level, site.meaning);
}

std::ostream& operator<<(std::ostream& stream, const Verdict& verdict) {
  for (const std::string& line : verdict.lines)
    stream << "\n  " << line;
  return stream;
}

const LoadResult* Verdict::module(std::string_view name) const {
  const auto found = std::ranges::find(modules, name, &LoadResult::module);
  return found == modules.end() ? nullptr : &*found;
}

const FaultResult* Verdict::fault(std::string_view site) const {
  const auto found = std::ranges::find(faults.rbegin(), faults.rend(), site, &FaultResult::site);
  return found == faults.rend() ? nullptr : &*found;
}

}  // namespace pkvmemu::inline v1
