// SPDX-License-Identifier: GPL-2.0-only
#include "device/secure_world.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace pkvmemu::device {
namespace {

/// Functions that are told of one by one.
constexpr std::size_t most_uses = 256;
constexpr std::size_t told_results = 4;

using Registers = SecureWorld::Registers;

/// SMCCC 2.5: W0.
std::uint32_t function_of(const Registers& x) {
  return static_cast<std::uint32_t>(x[0]);
}

bool fits(const SecureCallScript& script, const Registers& x) {
  const std::uint32_t function = function_of(x);
  const std::uint32_t masked = function & script.mask;
  if (masked < script.first || masked > script.last) return false;
  if (El3Monitor::knows(function) && !script.names_one()) return false;
  for (std::size_t i = 0; i < script.arguments.size(); ++i)
    if (script.arguments[i] && *script.arguments[i] != x[i + 1]) return false;
  return true;
}

}  // namespace

const SecureAnswer* SecureWorld::next_answer(std::size_t index) {
  const SecureCallScript& script = script_[index];
  const std::uint64_t turn = answered_[index]++;
  const std::size_t count = script.answers.size();
  if (script.then == AfterLast::repeat) return &script.answers[turn % count];
  return &script.answers[std::min<std::uint64_t>(turn, count - 1)];
}

SecureWorld::Answer SecureWorld::call(const Registers& x) {
  const auto found = std::ranges::find_if(
      script_, [&x](const SecureCallScript& script) { return fits(script, x); });
  Answer answer{.x = x};
  if (found != script_.end()) {
    const SecureAnswer& given = *next_answer(static_cast<std::size_t>(found - script_.begin()));
    for (std::size_t i = 0; i < given.size(); ++i)
      answer.x[i] = given[i].value_or(x[i]);
    note({.asked = x, .answered = answer.x, .source = SecureSource::script, .script = &*found});
    return answer;
  }
  const El3Monitor::Answer own = El3Monitor::call({x[0], x[1], x[2], x[3]});
  answer.x[0] = static_cast<std::uint64_t>(own.x0);
  answer.action = own.action;
  answer.entry = own.entry;
  const bool known = El3Monitor::knows(x[0]);
  note({.asked = x,
        .answered = answer.x,
        .source = known ? SecureSource::monitor : SecureSource::nobody});
  return answer;
}

void SecureWorld::note_other(const Registers& asked, const Registers& answered) {
  note({.asked = asked, .answered = answered, .source = SecureSource::fault});
}

SecureUse* SecureWorld::use_of(std::uint32_t function) {
  const auto found = std::ranges::find(uses_, function, &SecureUse::function);
  if (found != uses_.end()) return &*found;
  if (uses_.size() == most_uses) return nullptr;
  return &uses_.emplace_back(SecureUse{.function = function});
}

void SecureWorld::note(const Exchange& exchange) {
  const std::span arguments = std::span(exchange.asked).subspan(1, std::size_t{7});
  const std::span results = std::span(exchange.answered).first(told_results);
  if (SecureUse* const use = use_of(function_of(exchange.asked))) {
    ++use->calls;
    if (exchange.source == SecureSource::nobody) ++use->unanswered;
    if (exchange.script != nullptr) {
      use->is_scripted = true;
      use->name = exchange.script->name;
    }
    use->last_arguments.assign(arguments.begin(), arguments.end());
    use->last_answer.assign(results.begin(), results.end());
  }
  const bool logged = logs_everything_ || (exchange.script != nullptr && exchange.script->logged);
  if (!logged || !log_) return;
  const std::string name = exchange.script == nullptr || exchange.script->name.empty()
                               ? ""
                               : " " + exchange.script->name;
  log_(fmt::format("{:#x}{}({:#x}) = {:#x}{}", function_of(exchange.asked), name,
                   fmt::join(arguments, ", "), fmt::join(results, ", "),
                   exchange.source == SecureSource::nobody ? " (nobody answers)" : ""));
}

}  // namespace pkvmemu::device
