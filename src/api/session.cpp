// SPDX-License-Identifier: GPL-2.0-only
#include "session.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "failures.h"
#include "fault/fault.h"
#include "pkvm/event.h"
#include "pkvmemu/error.h"

namespace pkvmemu::api {
namespace {

using machine::ExitReason;
using pkvm::event::Kind;

/// What a request may report; a guest is the one that reports most.
constexpr std::size_t room_for_events = 1024;

bool is_waiting(const machine::Event& event) {
  return !event.from_hyp && event.record.kind == Kind::awaiting;
}

bool comes_to_modules(const machine::Event& event) {
  return !event.from_hyp && event.record.kind == Kind::modules_next;
}

bool deprivileges(const machine::Event& event) {
  return event.from_hyp && event.record.kind == Kind::deprivileged;
}

}  // namespace

Session::Session(const tool::RunOptions& options)
    : run_(value_or_throw(tool::PreparedRun::create(options))) {
  run_until(
      [](const machine::Event& event) { return is_waiting(event) || comes_to_modules(event); });
}

void Session::run_until(const std::function<bool(const machine::Event&)>& wanted) {
  std::optional<Stage> reached;
  const machine::Exit exit = run_->machine().run_until_event([&](const machine::Event& event) {
    if (!wanted(event)) return false;
    reached = now_.stage;
    if (is_waiting(event)) {
      const auto& v = event.record.value;
      buffer_ = {.base = Pa{v[0]}, .size = v[1]};
      reached = v[2] == 0 ? Stage::before_deprivilege : Stage::after_deprivilege;
    }
    return true;
  });
  if (exit.reason == ExitReason::engine_error) throw InternalError("CPU engine: " + exit.detail);
  if (exit.reason == ExitReason::breakpoint && reached) {
    if (now_.stage != *reached)
      now_.deprivileged = std::ranges::any_of(run_->machine().events(), deprivileges);
    now_.stage = *reached;
    return;
  }
  now_.stage = Stage::ended;
  now_.exit = exit;
}

void Session::run_until_it_waits() {
  run_until(is_waiting);
}

void Session::advance_to(Stage target) {
  while (now_.stage < target) {
    if (now_.stage != Stage::before_modules) hand_in({});
    run_until_it_waits();
  }
}

void Session::hand_in(std::string_view line) {
  std::string text(line);
  text += '\0';
  const auto written = run_->machine().write_memory(buffer_.base, std::as_bytes(std::span(text)));
  if (!written) throw InternalError(written.error().message);
}

observe::RunReport Session::request(const tool::RcLine& wish) {
  std::string text = tool::to_text(wish);
  text.pop_back();  // its newline
  if (now_.stage == Stage::before_modules)
    throw UsageError(fmt::format("{}: the kernel takes requests from before_deprivilege on", text));
  if (now_.stage == Stage::ended)
    throw UsageError(fmt::format("{}: the run has ended: {}", text, how_it_ended()));
  if (text.size() >= buffer_.size)
    throw UsageError(fmt::format("a request of {} characters; the kernel takes {}", text.size(),
                                 buffer_.size - 1));
  if (text.find_first_of(std::string_view("\n\r\0#", 4)) != std::string::npos)
    throw UsageError(fmt::format("{}: a request is one line, without comment", text));
  const std::size_t seen = run_->machine().events().size();
  if (seen + room_for_events > machine::event_limit)
    throw UsageError(
        fmt::format("{}: no more than {} events are kept of a run: go back to a snapshot now and "
                    "then",
                    text, machine::event_limit));
  run_->plan().note(wish);
  hand_in(text);
  run_until_it_waits();

  // Of this wish alone; whether an answer is right also depends on where the run stands.
  observe::Facts facts;
  facts.modules = run_->plan().modules;
  if (!run_->plan().calls.empty()) facts.calls = {run_->plan().calls.back()};
  observe::EventLog log(facts);
  log.report().generation = run_->plan().generation;
  log.report().deprivileged = now_.deprivileged;
  for (const machine::Event& event : run_->machine().events().subspan(seen))
    log.add(event);
  return std::move(log.report());
}

void Session::fail(std::string_view fault) {
  auto parsed = fault::parse_fault(fault, run_->fault_names());
  if (!parsed) throw UsageError(parsed.error().message);
  run_->injector()->add(std::move(*parsed));
}

observe::RunReport Session::report() const {
  return run_->report(now_.exit.value_or(machine::Exit{.reason = ExitReason::breakpoint}));
}

std::string Session::how_it_ended() const {
  const observe::RunReport end = report();
  if (end.hyp_panic) return "hyp panic";
  if (end.host_panic) return "host panic: " + *end.host_panic;
  return std::string(machine::name_of(end.exit.reason));
}

Session::Moment Session::save() {
  const auto id = run_->machine().take_snapshot();
  if (!id) throw InternalError(id.error().message);
  return {.id = *id,
          .now = now_,
          .calls = run_->plan().calls,
          .touches = run_->plan().touches,
          .faults = run_->injector()->save()};
}

void Session::restore(const Moment& moment) {
  if (auto done = run_->machine().restore(moment.id); !done)
    throw InternalError(done.error().message);
  now_ = moment.now;
  run_->plan().calls = moment.calls;
  run_->plan().touches = moment.touches;
  run_->injector()->restore(moment.faults);
}

}  // namespace pkvmemu::api
