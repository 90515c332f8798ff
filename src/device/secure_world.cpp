// SPDX-License-Identifier: GPL-2.0-only
#include "device/secure_world.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "pkvm/ffa.h"

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

Pa SecureWorld::place_of(const SecurePlace& place, const Registers& x) const {
  switch (place.from) {
    case SecurePlace::From::caller:
      return Pa{x.at(place.number)} + place.offset;
    case SecurePlace::From::rx:
      return rx_ + place.offset;
    case SecurePlace::From::address:
      break;
  }
  return Pa{place.number} + place.offset;
}

void SecureWorld::write(const SecureCallScript& script, const Registers& x) {
  for (const SecureWrite& each : script.writes) {
    const Pa at = place_of(each.to, x);
    const bool written = memory_.write && memory_.write(at, each.bytes);
    if (!written && log_)
      log_(fmt::format("{:#x} writes {} bytes at {:#x}, where is no RAM", function_of(x),
                       each.bytes.size(), at.value));
  }
}

SecureWorld::Answer SecureWorld::answer_of_script(const Registers& x, std::size_t index) {
  const SecureCallScript& script = script_[index];
  const SecureAnswer& given = *next_answer(index);
  Answer answer{.x = x};
  for (std::size_t i = 0; i < given.size(); ++i)
    answer.x[i] = given[i].value_or(x[i]);
  write(script, x);
  note({.asked = x,
        .answered = answer.x,
        .source = SecureSource::script,
        .name = script.name,
        .is_logged = script.logged});
  return answer;
}

std::optional<SecureWorld::Answer> SecureWorld::answer_of_ffa(const Registers& x) {
  if (!ffa_) return std::nullopt;
  FfaFirmware::Words asked{};
  std::copy_n(x.begin(), asked.size(), asked.begin());
  const auto words = ffa_->call(asked);
  if (!words) return std::nullopt;
  Answer answer{.x = x};
  std::ranges::copy(*words, answer.x.begin());
  note({.asked = x,
        .answered = answer.x,
        .source = SecureSource::ffa,
        .name = FfaFirmware::name_of(function_of(x))});
  return answer;
}

SecureWorld::Answer SecureWorld::call(const Registers& x) {
  const std::uint32_t function = function_of(x);
  if (function == pkvm::ffa::rxtx_map || function == pkvm::ffa::rxtx_map32) rx_ = Pa{x[2]};
  const auto found = std::ranges::find_if(
      script_, [&x](const SecureCallScript& script) { return fits(script, x); });
  if (found != script_.end())
    return answer_of_script(x, static_cast<std::size_t>(found - script_.begin()));
  if (auto answer = answer_of_ffa(x)) return *std::move(answer);
  const El3Monitor::Answer own = El3Monitor::call({x[0], x[1], x[2], x[3]});
  Answer answer{.x = x};
  answer.x[0] = static_cast<std::uint64_t>(own.x0);
  answer.action = own.action;
  answer.entry = own.entry;
  const bool known = El3Monitor::knows(x[0]);
  note({.asked = x,
        .answered = answer.x,
        .source = known ? SecureSource::monitor : SecureSource::nobody});
  return answer;
}

SecureWorld::State SecureWorld::save() const {
  return {.answered = answered_,
          .uses = uses_,
          .rx = rx_,
          .ffa = ffa_ ? ffa_->save() : FfaFirmware::State{}};
}

void SecureWorld::restore(const State& state) {
  answered_ = state.answered;
  uses_ = state.uses;
  rx_ = state.rx;
  if (ffa_) ffa_->restore(state.ffa);
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
    if (exchange.source == SecureSource::script || exchange.source == SecureSource::ffa) {
      use->is_scripted = true;
      use->name = exchange.name;
    }
    use->last_arguments.assign(arguments.begin(), arguments.end());
    use->last_answer.assign(results.begin(), results.end());
  }
  if (!log_ || (!logs_everything_ && !exchange.is_logged)) return;
  log_(fmt::format("{:#x}{}{}({:#x}) = {:#x}{}", function_of(exchange.asked),
                   exchange.name.empty() ? "" : " ", exchange.name, fmt::join(arguments, ", "),
                   fmt::join(results, ", "),
                   exchange.source == SecureSource::nobody ? " (nobody answers)" : ""));
}

}  // namespace pkvmemu::device
