// SPDX-License-Identifier: GPL-2.0-only
#include "observe/event_log.h"

#include <algorithm>
#include <ranges>
#include <string_view>
#include <utility>

#include "pkvm/errno.h"
#include "pkvm/hypercall.h"
#include "pkvm/psci_names.h"
#include "pkvm/smccc.h"
#include "support/fixed_text.h"

namespace pkvmemu::observe {
namespace {

using pkvm::event::Kind;
using pkvm::event::Step;

/// Module names compare with '-' and '_' equal, as modprobe takes them.
std::string normalised(std::string_view name) {
  std::string result(name);
  std::ranges::replace(result, '-', '_');
  return result;
}

std::optional<Step> step_of(std::uint64_t number) {
  if (number > static_cast<std::uint64_t>(Step::parameters)) return std::nullopt;
  return static_cast<Step>(number);
}

/// The number of a host hypercall (pkvm-abi.md 4.1); none for any other function id.
std::optional<unsigned> host_call_number(std::uint64_t x0) {
  const std::uint64_t id = x0 & 0xFFFF'FFFF & ~pkvm::smccc::sve_hint;
  if ((id & 0xFFFF'0000) != pkvm::smccc::kvm_host_base) return std::nullopt;
  return static_cast<unsigned>(id & 0xFFFF);
}

}  // namespace

void EventLog::add(const machine::Event& event) {
  if (event.from_hyp)
    add_from_hyp(event.record);
  else
    add_from_host(event);
}

void EventLog::add_from_hyp(const Record& record) {
  const auto& v = record.value;
  switch (record.kind) {
    case Kind::hyp_ready:
      if (v[0] < pkvm::generation_count) report_.generation = static_cast<pkvm::Generation>(v[0]);
      break;
    case Kind::deprivileged:
      report_.deprivileged = true;
      break;
    case Kind::op_missing:
      report_.missing_ops.push_back(
          {.name = fixed_text(record.name), .slot = v[0], .caller = v[1]});
      break;
    case Kind::hyp_panic:
      add_hyp_panic(record);
      break;
    case Kind::op_refused:
      add_refused_op(record);
      break;
    case Kind::quirk:
      add_defect(record);
      break;
    default:
      break;
  }
}

/// A guest that asks in a loop does not fill our memory: one entry for each place and answer, and
/// no more than fit into a report.
void EventLog::add_refused_op(const Record& record) {
  constexpr std::size_t most = 64;
  const auto& v = record.value;
  const auto subject = static_cast<pkvm::event::RefusedSubject>(v[3]);
  RefusedOp op{.name = fixed_text(record.name),
               .answer = static_cast<std::int64_t>(v[0]),
               .subject = subject,
               .value = v[1],
               .caller = v[2]};
  for (RefusedOp& known : report_.refused_ops) {
    if (known.caller != op.caller || known.answer != op.answer || known.name != op.name ||
        known.subject != op.subject)
      continue;
    ++known.count;
    return;
  }
  if (report_.refused_ops.size() < most) report_.refused_ops.push_back(std::move(op));
}

void EventLog::add_hyp_panic(const Record& record) {
  const auto& v = record.value;
  HypPanic& panic = report_.hyp_panic.emplace();
  panic.esr = v[0];
  panic.spsr = v[1];
  panic.elr = v[2];
  panic.far = v[3];
  panic.hpfar = v[4];
  panic.par = v[5];
  panic.link = v[6];
  panic.sp = v[7];
  if (v[8] != 0)
    panic.cfi = CfiFailure{.callee = v[8],
                           .expected = static_cast<std::uint32_t>(v[9]),
                           .found = static_cast<std::uint32_t>(v[10])};
  panic.module_caller = v[11];
  panic.registered_with = fixed_text(record.name);
  panic.note = fixed_text(record.text);
}

void EventLog::add_defect(const Record& record) {
  report_.defects.push_back({.name = fixed_text(record.name), .reproduced = record.value[0] != 0});
}

void EventLog::add_from_host(const machine::Event& event) {
  const Record& record = event.record;
  switch (record.kind) {
    case Kind::call_begin:
      begin_call(event);
      break;
    case Kind::call_end:
      end_call(event);
      break;
    case Kind::call_more:
      if (open_call_) report_.calls[*open_call_].more.assign(&record.value[0], &record.value[10]);
      break;
    case Kind::call_not_made:
      call_not_made(record);
      break;
    case Kind::touch_begin:
      begin_touch(record);
      break;
    case Kind::touch_end:
      end_touch(record);
      break;
    case Kind::guest_step:
    case Kind::guest_console:
    case Kind::guest_end:
      add_guest(record);
      break;
    case Kind::probe_begin:
      report_.probe = GuestReport{.name = fixed_text(record.name), .is_protected = true};
      break;
    case Kind::attack_begin:
    case Kind::attack_end:
      add_attack(record);
      break;
    case Kind::pvmfw_wiped:
      wiped_ = fixed_text(record.text);
      break;
    case Kind::host_panic:
      report_.host_panic = fixed_text(record.text);
      host_panic_follows_ = report_.hyp_panic.has_value();
      break;
    case Kind::quirk:
      add_defect(record);
      break;
    case Kind::rc_error:
      report_.internal_errors.push_back("rc file, line " + std::to_string(record.value[0]) + ": " +
                                        fixed_text(record.text));
      break;
    case Kind::trace_event:
      report_.trace_events.push_back(
          {.name = fixed_text(record.name), .text = fixed_text(record.text)});
      break;
    case Kind::stub_used:
      count_stub({.symbol = fixed_text(record.name), .declared = record.value[2] != 0, .count = 1});
      break;
    default:
      add_module(record);
      break;
  }
}

/// Guests run one after the other, each from its first step to its end.
/// The one that runs, which is the kernel's own from its beginning to its end.
GuestReport& EventLog::open_guest(const Record& record) {
  if (report_.probe && !report_.probe->ended) return *report_.probe;
  // Several guests may run at once.
  const std::uint64_t number = record.value[3];
  const auto known = std::ranges::find_if(report_.guests, [number](const GuestReport& guest) {
    return guest.number == number && !guest.ended;
  });
  if (known != report_.guests.end()) return *known;
  return report_.guests.emplace_back(
      GuestReport{.name = fixed_text(record.name), .number = number});
}

void EventLog::add_guest(const Record& record) {
  GuestReport& guest = open_guest(record);
  switch (record.kind) {
    case Kind::guest_step:
      guest.is_protected = record.value[1] != 0;
      guest.steps.push_back({.what = fixed_text(record.text),
                             .answer = static_cast<std::int64_t>(record.value[0]),
                             .told = record.value[2]});
      break;
    case Kind::guest_console:
      guest.console.push_back(fixed_text(record.text));
      break;
    default:
      guest.ended = true;
      guest.ran = record.value[0] != 0;
      break;
  }
}

/// One after the other; an end without a beginning says why none could be made.
void EventLog::add_attack(const Record& record) {
  if (record.kind == Kind::attack_begin) {
    report_.attacks.push_back({.name = fixed_text(record.name), .is_fatal = record.value[0] != 0});
    return;
  }
  if (report_.attacks.empty() || report_.attacks.back().ended)
    report_.attacks.push_back({.name = fixed_text(record.name)});
  AttackReport& attack = report_.attacks.back();
  attack.ended = true;
  attack.as_specified = record.value[0] != 0;
  attack.wrong = fixed_text(record.text);
}

void EventLog::add_module(const Record& record) {
  const auto& v = record.value;
  switch (record.kind) {
    case Kind::module_begin:
      begin_module(record);
      break;
    case Kind::module_file:
      find_or_add(fixed_text(record.name)).generation =
          pkvm::generation_of_vermagic(fixed_text(record.text));
      break;
    case Kind::module_el2_loaded:
      find_or_add(fixed_text(record.name)).hyp_va = v[0];
      break;
    case Kind::module_handler: {
      // The kernel takes any address for a handler; one in no loaded module is no module's.
      if (fixed_text(record.name).empty()) break;
      const auto answer = static_cast<std::int64_t>(v[0]);
      HandlerReport handler;
      handler.symbol = fixed_text(record.text);
      handler.hyp_va = v[1];
      if (answer < 0)
        handler.error = answer;
      else
        handler.id = static_cast<unsigned>(answer);
      find_or_add(fixed_text(record.name)).handlers.push_back(std::move(handler));
      break;
    }
    case Kind::module_unresolved: {
      ModuleReport& module = find_or_add(fixed_text(record.name));
      (v[0] == 0 ? module.unresolved : module.stubbed).push_back(fixed_text(record.text));
      break;
    }
    case Kind::module_end:
      end_module(record);
      break;
    case Kind::module_skipped:
      skip_module(record);
      break;
    default:
      break;
  }
}

void EventLog::count_stub(StubUse use) {
  const auto known = std::ranges::find(report_.stub_uses, use.symbol, &StubUse::symbol);
  if (known != report_.stub_uses.end())
    ++known->count;
  else
    report_.stub_uses.push_back(std::move(use));
}

void EventLog::begin_module(const Record& record) {
  ModuleReport module;
  module.name = fixed_text(record.name);
  module.time = record.value[0] == 0 ? LoadTime::late : LoadTime::boot;
  module.began_deprivileged = report_.deprivileged;
  module.file = file_of(module.name);
  if (module.file.empty()) module.file = fixed_text(record.text);
  report_.modules.push_back(std::move(module));
}

void EventLog::end_module(const Record& record) {
  ModuleReport& module = find_or_add(fixed_text(record.name));
  module.error = static_cast<std::int64_t>(record.value[0]);
  module.reason = fixed_text(record.text);
  if (module.error == 0) {
    module.state = LoadState::loaded;
    module.init_result = static_cast<std::int64_t>(record.value[2]);
    return;
  }
  module.step = step_of(record.value[1]);
  if (module.step == Step::el1_init || module.step == Step::init_module)
    module.init_result = static_cast<std::int64_t>(record.value[2]);
  const bool refused = module.time == LoadTime::late && report_.deprivileged &&
                       module.error == pkvm::negated(pkvm::Errno::eopnotsupp);
  module.state = refused ? LoadState::refused : LoadState::failed;
}

void EventLog::skip_module(const Record& record) {
  ModuleReport module;
  module.name = fixed_text(record.name);
  module.state = LoadState::not_tried;
  module.began_deprivileged = report_.deprivileged;
  module.file = file_of(module.name);
  report_.modules.push_back(std::move(module));
}

void EventLog::begin_call(const machine::Event& event) {
  CallReport& call = next_call(event.record);
  const auto& v = event.record.value;
  call.function = v[0];
  call.conduit = v[8] == 0 ? CallConduit::hvc : CallConduit::smc;
  if (call.conduit == CallConduit::hvc) call.id = host_call_number(v[0]);
  // Until it comes back after all, refused.
  if (call.conduit == CallConduit::smc && pkvm::psci::ends_the_run(v[0]))
    call.state = CallState::ended;
  // A call that nobody asked for by our own request: show all that it carried.
  if (calls_seen_ > facts_.calls.size()) call.args.assign(&v[1], &v[8]);
  open_call_ = report_.calls.size() - 1;
  el2_at_begin_ = event.el2_instructions;
}

void EventLog::end_call(const machine::Event& event) {
  if (!open_call_) return;
  CallReport& call = report_.calls[*open_call_];
  open_call_.reset();
  auto& result = call.result.emplace();
  std::ranges::copy_n(event.record.value, 8, result.begin());
  call.x18_changed = event.record.value[9] != 0;
  call.el2_instructions = event.el2_instructions - el2_at_begin_;

  const auto x0 = static_cast<std::int64_t>(result[0]);
  const bool dynamic = call.id && *call.id >= pkvm::first_dynamic_call;
  const bool closed = report_.generation && report_.deprivileged && call.id &&
                      *call.id < pkvm::info(*report_.generation).first_late_call;
  // Closed numbers must be refused; other calls that are no module's may be. What else an SMC's x0
  // means is between its caller and who answers.
  if (call.x18_changed)
    call.state = CallState::failed;
  else if (x0 == pkvm::smccc::not_supported && !dynamic)
    call.state = CallState::refused;
  else if (call.conduit == CallConduit::smc)
    call.state = CallState::good;
  else
    call.state = x0 == 0 && !closed ? CallState::good : CallState::failed;
}

void EventLog::call_not_made(const Record& record) {
  CallReport& call = next_call(record);
  call.state = CallState::not_made;
  call.reason = fixed_text(record.text);
}

void EventLog::begin_touch(const Record& record) {
  const std::size_t seen = report_.touches.size();
  TouchReport& touch = report_.touches.emplace_back();
  touch.name = seen < facts_.touches.size() ? facts_.touches[seen] : fixed_text(record.name);
}

void EventLog::end_touch(const Record& record) {
  if (report_.touches.empty()) return;
  TouchReport& touch = report_.touches.back();
  const auto& v = record.value;
  touch.state = v[0] == 0 ? TouchState::done : TouchState::aborted;
  touch.value = v[1];
  touch.esr = v[2];
  touch.far = v[3];
}

CallReport& EventLog::next_call(const Record& record) {
  CallReport call;
  if (calls_seen_ < facts_.calls.size()) {
    call.name = facts_.calls[calls_seen_].name;
    call.args = facts_.calls[calls_seen_].args;
    call.conduit = facts_.calls[calls_seen_].conduit;
  } else {
    call.name = fixed_text(record.name);
  }
  ++calls_seen_;
  return report_.calls.emplace_back(std::move(call));
}

void EventLog::add_unmentioned() {
  for (const ModuleRequest& request : facts_.modules) {
    const auto same = [&](const ModuleReport& module) {
      return normalised(module.name) == normalised(request.name) && module.time == request.time;
    };
    if (std::ranges::any_of(report_.modules, same)) continue;
    ModuleReport& module = report_.modules.emplace_back();
    module.name = request.name;
    module.file = request.file;
    module.time = request.time;
  }
  for (; calls_seen_ < facts_.calls.size(); ++calls_seen_) {
    const CallRequest& request = facts_.calls[calls_seen_];
    CallReport& call = report_.calls.emplace_back();
    call.name = request.name;
    call.args = request.args;
    call.conduit = request.conduit;
  }
  for (std::size_t i = report_.touches.size(); i < facts_.touches.size(); ++i)
    report_.touches.emplace_back().name = facts_.touches[i];
}

/// The latest load of that name: a record that no begin came before still makes an entry.
ModuleReport& EventLog::find_or_add(std::string name) {
  for (ModuleReport& module : std::views::reverse(report_.modules))
    if (module.name == name) return module;
  ModuleReport& added = report_.modules.emplace_back();
  added.file = file_of(name);
  added.name = std::move(name);
  return added;
}

std::string EventLog::file_of(const std::string& name) const {
  for (const ModuleRequest& request : facts_.modules)
    if (normalised(request.name) == normalised(name)) return request.file;
  return {};
}

}  // namespace pkvmemu::observe
