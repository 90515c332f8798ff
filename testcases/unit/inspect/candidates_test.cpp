// SPDX-License-Identifier: GPL-2.0-only
// Who is init and who is a handler: by the EL1 half's code, and by the word before the function.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ko_editor.h"

namespace pkvmemu::inspect {
namespace {

using testing::Contains;
using testing::Field;
using testing::IsEmpty;

constexpr std::uint32_t plain_init = 0xc382d712;
constexpr std::uint32_t normalised_init = 0xf175f853;

// The function that the EL1 half stores as arch.hyp.init is init, the one that it registers a
// handler; both have the word of their type.
TEST(Candidates, OfASample) {
  const Facts facts = KoEditor::of("counter").inspect();
  ASSERT_EQ(facts.inits.size(), 1U);
  EXPECT_EQ(facts.inits[0].symbol, "counter_hyp_init");
  EXPECT_TRUE(facts.inits[0].certain);
  EXPECT_EQ(facts.inits[0].kcfi_word, plain_init);
  ASSERT_EQ(facts.handlers.size(), 1U);
  EXPECT_EQ(facts.handlers[0].symbol, "counter_hvc");
  EXPECT_TRUE(facts.handlers[0].certain);
  EXPECT_EQ(facts.kcfi, Kcfi::plain);
}

// Without words the EL1 half's code alone tells; the handler is then not certain, and no word is
// made of the code that stands before it.
TEST(Candidates, WithoutKcfi) {
  const Facts facts = KoEditor::of("nocfi").inspect();
  EXPECT_EQ(facts.kcfi, Kcfi::none);
  ASSERT_EQ(facts.inits.size(), 1U);
  EXPECT_EQ(facts.inits[0].symbol, "hello_hyp_init");
  EXPECT_TRUE(facts.inits[0].certain);
  EXPECT_EQ(facts.inits[0].kcfi_word, std::nullopt);
  ASSERT_EQ(facts.handlers.size(), 1U);
  EXPECT_EQ(facts.handlers[0].symbol, "hello_hvc");
  EXPECT_FALSE(facts.handlers[0].certain);
  EXPECT_FALSE(facts.ops.empty());
}

// Each generation's flavour is told by the word before init.
TEST(Candidates, FlavourOfEachGeneration) {
  EXPECT_EQ(KoEditor::own("opsflow", "android14-6.1").inspect().kcfi, Kcfi::none);
  EXPECT_EQ(KoEditor::own("opsflow", "android15-6.6").inspect().kcfi, Kcfi::plain);
  EXPECT_EQ(KoEditor::own("opsflow", "android16-6.12").inspect().kcfi, Kcfi::normalised);
}

// A module built for 16 under a 6.6 vermagic: the phone's check would fail, and that is said.
TEST(Candidates, WrongFlavour) {
  const Facts facts =
      KoEditor::of("counter").word_before("__kvm_nvhe_counter_hyp_init", normalised_init).inspect();
  EXPECT_EQ(facts.kcfi, Kcfi::normalised);
  EXPECT_EQ(finding_with(facts, "kCFI words are normalised").level, Level::phone);
  EXPECT_TRUE(facts.would_load());
}

// A word that is neither flavour's means an init of another type.
TEST(Candidates, WrongInitType) {
  constexpr std::uint32_t word = 0x00000bad;
  const Facts facts =
      KoEditor::of("counter").word_before("__kvm_nvhe_counter_hyp_init", word).inspect();
  EXPECT_EQ(facts.odd_kcfi_word, word);
  EXPECT_EQ(finding_with(facts, "is not the kCFI hash of an init function").level, Level::phone);
}

// A registered function of another type than a handler's is pointed out.
TEST(Candidates, WrongHandlerType) {
  const Facts facts =
      KoEditor::of("counter").word_before("__kvm_nvhe_counter_hvc", 0x00000bad).inspect();
  ASSERT_EQ(facts.handlers.size(), 1U);
  EXPECT_FALSE(facts.handlers[0].certain);
  EXPECT_FALSE(
      finding_with(facts, "counter_hvc, which has not the type of a handler").text.empty());
}

// An ordinary module has neither.
TEST(Candidates, WithoutEl2Half) {
  const Facts facts = KoEditor::of("noload").inspect();
  EXPECT_FALSE(facts.has_hyp);
  EXPECT_THAT(facts.inits, IsEmpty());
  EXPECT_THAT(facts.handlers, IsEmpty());
  EXPECT_TRUE(facts.would_load());
}

// All of a module's handlers are found.
TEST(Candidates, ManyHandlers) {
  const Facts facts = KoEditor::of("manyhandlers").inspect();
  EXPECT_FALSE(facts.handlers.empty());
  EXPECT_THAT(facts.handlers, Contains(Field(&Candidate::certain, true)));
}

}  // namespace
}  // namespace pkvmemu::inspect
