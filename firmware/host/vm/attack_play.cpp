// SPDX-License-Identifier: GPL-2.0-only
#include "host/vm/attack_play.h"

#include "host/vm/attack_scene.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

bool is_access(Verb verb) {
  return verb == Verb::read || verb == Verb::write || verb == Verb::execute;
}

/// ESR_EL1 of an abort that the hypervisor injects for memory that is not the host's (7.7): of the
/// same EL, with S1PTW set, a translation fault of any level.
bool is_injected_translation_fault(std::uint64_t esr, Verb verb) {
  constexpr std::uint64_t instruction_abort = 0x21;
  constexpr std::uint64_t data_abort = 0x25;
  constexpr std::uint64_t translation_fault = 1;  // status code without its level
  constexpr unsigned s1ptw = 7;
  const std::uint64_t wanted = verb == Verb::execute ? instruction_abort : data_abort;
  return bits(esr, 31, 26) == wanted && test_bit(esr, s1ptw) &&
         bits(esr, 5, 2) == translation_fault;
}

bool is_specified(const Answer& specified, const CallAnswer& got) {
  const auto x1 = static_cast<std::int64_t>(got.x1);
  switch (specified.outcome) {
    case Outcome::value:
      return got.x0 == 0 && x1 == specified.value;
    case Outcome::handle:
      return got.x0 == 0 && x1 > 0;
    case Outcome::nothing:
      return got.x0 == 0;
    case Outcome::closed:
      return got.x0 == ~std::uint64_t{0};
    default:
      return false;
  }
}

Played play_step(const AttackStep& step, std::size_t number, const Answer& specified,
                 AttackScene& scene) {
  if (is_access(step.verb)) {
    const Touched touched = scene.touch(step);
    const bool good = touched.abort == (specified.outcome == Outcome::aborted) &&
                      (!touched.abort || is_injected_translation_fault(touched.esr, step.verb));
    if (good) return {};
    return {.fault = Fault::access, .step = number, .x0 = touched.abort ? touched.esr : 0};
  }
  const CallAnswer got = scene.call(step);
  if (is_specified(specified, got)) return {};
  return {.fault = Fault::answer, .step = number, .x0 = got.x0, .x1 = got.x1};
}

Played play_steps(const Attack& attack, pkvm::Generation generation, AttackScene& scene) {
  for (std::size_t i = 0; i < attack.steps.size(); ++i) {
    const AttackStep& step = attack.steps[i];
    if (step.verb == Verb::none) break;
    const Answer& specified = step.answers[static_cast<std::size_t>(generation)];
    const Played played = play_step(step, i + 1, specified, scene);
    if (played.fault != Fault::none) return played;
  }
  return {};
}

/// Nothing may be left, however the attack went.
Played close(AttackScene& scene) {
  if (const auto refused = scene.tear_down(); refused)
    return {.fault = Fault::not_undone, .call = *refused};
  if (const auto page = scene.wrong_page(); page) return {.fault = Fault::lost_page, .step = *page};
  if (const auto page = scene.dirty_page(); page)
    return {.fault = Fault::dirty_page, .step = *page};
  return {};
}

}  // namespace

Played play(const Attack& attack, AttackLab& lab, Pa block) {
  AttackScene scene(lab, block);
  if (const auto refused = scene.set_up(attack.stage); refused) {
    scene.tear_down();
    return {.fault = Fault::not_set_up, .call = *refused};
  }
  Played played = play_steps(attack, lab.generation(), scene);
  if (played.fault == Fault::none)
    if (const auto page = scene.wrong_page(); page)
      played = {.fault = Fault::wrong_page, .step = *page};
  const Played closed = close(scene);
  return played.fault != Fault::none ? played : closed;
}

}  // namespace pkvmemu::host
