// SPDX-License-Identifier: GPL-2.0-only
// The attacks of firmware/host/vm/attack_rows.cpp, natively: the same table, the hypervisor's own
// dispatcher and faults, and after each attack the whole of all page tables.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "guest_invariants.h"
#include "harness/generation_printer.h"
#include "host/vm/attack_play.h"
#include "host/vm/attack_scene.h"
#include "native_lab.h"

namespace pkvmemu::hyp::test {
namespace {

using host::Attack;
using host::AttackPhase;
using host::Fault;
using host::Played;

std::string words(const Played& played) {
  return "fault " + std::to_string(static_cast<int>(played.fault)) + ", step or page " +
         std::to_string(played.step) + ", x0 " + std::to_string(played.x0) + ", x1 " +
         std::to_string(static_cast<std::int64_t>(played.x1)) + ", call " +
         std::string(pkvm::name_of(played.call));
}

class Attacks : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static pkvm::Generation id() { return GetParam().id; }
};

INSTANTIATE_TEST_SUITE_P(Generations, Attacks, testing::ValuesIn(pkvm::generations));

// Every attack gets its specified answer, no page of the attacked changes hands, and when all is
// torn down every page is the host's again.
TEST_P(Attacks, AreAnsweredAsSpecified) {
  for (const AttackPhase phase : {AttackPhase::early, AttackPhase::after}) {
    NativeLab lab(id(), phase);
    for (const Attack& attack : host::attacks()) {
      if (attack.phase != phase || !exists_in(attack, id()) || is_fatal(attack, id())) continue;
      SCOPED_TRACE(std::string(attack.name));
      const Played played = play(attack, lab, NativeLab::block());
      EXPECT_EQ(played.fault, Fault::none) << words(played);
      EXPECT_EQ(broken_invariant(lab.world()), "");
    }
  }
}

// One attack after the other leaves nothing behind: the pages that are the hypervisor's at the end
// are its heap's.
TEST_P(Attacks, LeaveNothingBehind) {
  NativeLab lab(id());
  for (const Attack& attack : host::attacks())
    if (attack.phase == AttackPhase::after && exists_in(attack, id()) && !is_fatal(attack, id()))
      play(attack, lab, NativeLab::block());
  EXPECT_EQ(pages_of_hypervisor(lab.world()), lab.heap_pages());
}

// What is fatal in a kernel (a WARN of EL2's) panics the hypervisor here.
TEST_P(Attacks, FatalOnesPanic) {
  for (const Attack& attack : host::attacks()) {
    if (!exists_in(attack, id()) || !is_fatal(attack, id())) continue;
    EXPECT_DEATH(
        {
          NativeLab lab(id(), attack.phase);
          play(attack, lab, NativeLab::block());
        },
        "hyp BUG")
        << attack.name;
  }
}

// A wrong answer is a fault: an attack whose row demands what no generation answers.
TEST_P(Attacks, AWrongAnswerIsNoticed) {
  NativeLab lab(id());
  Attack attack = host::attacks().front();
  ASSERT_EQ(attack.name, "read-secret");
  attack.steps[0].answers.fill({host::Outcome::reached});
  EXPECT_EQ(play(attack, lab, NativeLab::block()).fault, Fault::access);
}

// A page that changed hands is noticed, by the host's own accesses and in the tables.
TEST_P(Attacks, AStolenPageIsNoticed) {
  NativeLab lab(id());
  host::AttackScene scene(lab, NativeLab::block());
  ASSERT_FALSE(scene.set_up(host::Stage::populated));
  ASSERT_FALSE(scene.wrong_page());
  ASSERT_EQ(broken_invariant(lab.world()), "");
  const Pa secret{scene.resolve({.form = host::Form::pa, .place = host::Place::secret})};
  ASSERT_TRUE(lab.world().ownership().return_to_host({secret, secret + page_size}));
  EXPECT_EQ(scene.wrong_page(), (secret - NativeLab::block()) >> page_shift);
  EXPECT_NE(broken_invariant(lab.world()), "");
}

// Every attack has a name of its own, a phase in which its stage can be reached, and a first step.
TEST(AttackTable, IsWellFormed) {
  std::set<std::string_view> names;
  for (const Attack& attack : host::attacks()) {
    EXPECT_TRUE(names.insert(attack.name).second) << attack.name;
    EXPECT_FALSE(attack.says.empty()) << attack.name;
    EXPECT_NE(attack.steps[0].verb, host::Verb::none) << attack.name;
    EXPECT_EQ(attack.phase == AttackPhase::early, attack.name.starts_with("early-")) << attack.name;
  }
}

// `*` stands for any characters, none too.
TEST(AttackTable, PatternsMatch) {
  for (const char* pattern : {"*", "map-*", "*two", "m*i*o", "map-into-two", "map-into-two*"})
    EXPECT_TRUE(host::matches(pattern, "map-into-two")) << pattern;
  for (const char* pattern : {"", "map", "*map", "two*", "map-into-two-"})
    EXPECT_FALSE(host::matches(pattern, "map-into-two")) << pattern;
}

}  // namespace
}  // namespace pkvmemu::hyp::test
