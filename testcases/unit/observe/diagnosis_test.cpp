// SPDX-License-Identifier: GPL-2.0-only
// What a hyp panic is told as: what, where, from where, and what to do.
#include "observe/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "pkvm/kcfi_types.h"

namespace pkvmemu::observe {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint64_t text = 0x2008400000;
constexpr std::uint64_t data = 0x2008403000;
constexpr std::uint64_t hyp = 0x2000100000;
constexpr std::uint64_t stack = 0x2000001000;
constexpr std::uint64_t from_el2 = 0x3c9;
constexpr std::uint64_t write_permission = 0x9600004f;
constexpr std::uint64_t write_translation = 0x96000047;
constexpr std::uint64_t read_translation = 0x96000007;
constexpr std::uint64_t fetch_permission = 0x8600000f;
constexpr std::uint64_t fetch_translation = 0x86000007;
constexpr std::uint64_t brk = 0xf2000000;

/// One module with two sections, and the hypervisor.
Place place_of(std::uint64_t address, unsigned /*el*/) {
  constexpr std::uint64_t page = 0x1000;
  if (address >= text && address < text + page)
    return {.text = "f [mine]", .image = "mine", .section = ".hyp.text"};
  if (address >= data && address < data + page)
    return {.text = "d [mine]", .image = "mine", .section = ".hyp.data"};
  if (address >= hyp && address < hyp + page) return {.text = "g [hyp]", .image = "hyp"};
  return {};
}

PanicDiagnosis told(HypPanic panic, const RunReport& report = {}) {
  panic.spsr = from_el2;
  return diagnose(panic, report, place_of);
}

// Every kind of end has advice of its own.
TEST(Diagnosis, EachKindHasItsAdvice) {
  const std::vector<HypPanic> panics = {
      {.esr = brk | 0x123, .elr = text},
      {.esr = brk | 0x800, .elr = text},
      {.esr = brk | 0x800, .elr = hyp},
      {.esr = 0x02000000, .elr = text},
      {.esr = 0x8a000000, .elr = text + 2},
      {.esr = 0x9a000000, .elr = text},
      {.esr = 0x1e000000, .elr = text},
      {.esr = write_permission, .elr = text, .far = text},
      {.esr = write_translation, .elr = text, .far = 8},
      {.esr = read_translation, .elr = text, .far = 0xffffff8000000000},
      {.esr = read_translation, .elr = text, .far = 0x8010000000},
      {.esr = fetch_permission, .elr = data, .far = data},
      {.esr = fetch_translation, .elr = 0, .far = 0},
      {.esr = fetch_translation, .elr = 0x30000000, .far = 0x30000000},
      {.esr = write_translation, .elr = text, .far = stack - 0x80, .sp = stack + 0x80}};
  std::set<std::string> advices;
  for (const HypPanic& panic : panics) {
    const PanicDiagnosis one = told(panic);
    EXPECT_THAT(one.advice, Not(IsEmpty())) << one.what;
    advices.insert(one.advice);
  }
  EXPECT_EQ(advices.size(), panics.size());
}

// A failure of kCFI names the function, both types, and the operation that registered it.
TEST(Diagnosis, CfiNamesBothTypes) {
  const PanicDiagnosis one = told({.esr = brk | 0x8228,
                                   .elr = hyp,
                                   .module_caller = text + 8,
                                   .cfi = CfiFailure{.callee = text,
                                                     .expected = pkvm::kcfi::trap.normalised,
                                                     .found = pkvm::kcfi::handler.normalised},
                                   .registered_with = "register_host_smc_handler"});
  EXPECT_EQ(
      one.what,
      "kCFI: f [mine] is called as 'bool (struct user_pt_regs *)' (a handler of host SMCs or other "
      "traps), and has 'void (struct user_pt_regs *)' (a hypercall handler or panic "
      "notifier); register_host_smc_handler registered it");
  EXPECT_EQ(one.where, "g [hyp]");
  EXPECT_EQ(one.caller, "f [mine]");
  EXPECT_THAT(one.advice, HasSubstr("without a cast"));
}

// A callee that is no function has a word before it that means nothing.
TEST(Diagnosis, MisalignedCalleesHaveNoType) {
  const PanicDiagnosis one = told(
      {.esr = brk | 0x8228,
       .elr = hyp,
       .cfi = CfiFailure{.callee = text + 2, .expected = pkvm::kcfi::trap.plain, .found = 0x1234}});
  EXPECT_THAT(one.what, HasSubstr("has another type"));
  EXPECT_THAT(one.advice, HasSubstr("multiples of 4"));
}

// Code of a module whose load failed is gone; the same place in one that loaded is not.
TEST(Diagnosis, GoneModulesAreNamed) {
  RunReport report;
  ModuleReport& module = report.modules.emplace_back();
  module.name = "mine";
  module.state = LoadState::failed;
  const HypPanic panic{.esr = fetch_translation, .elr = text, .far = text};
  EXPECT_THAT(told(panic, report).what,
              HasSubstr("module mine did not load, and its code is gone"));
  const HypPanic checked{.esr = read_translation, .elr = hyp, .far = text};
  EXPECT_THAT(told(checked, report).advice, HasSubstr("must not leave callbacks"))
      << "the word that kCFI reads";
  module.state = LoadState::loaded;
  EXPECT_THAT(told(panic, report).what, Not(HasSubstr("gone")));
}

// A store far from SP, or one on its own page, is no overflow.
TEST(Diagnosis, OverflowIsBelowTheStack) {
  HypPanic panic{.esr = write_translation, .elr = text, .far = stack - 8, .sp = stack + 8};
  EXPECT_THAT(told(panic).what, HasSubstr("stack overflow"));
  panic.far = stack - 0x100000;
  EXPECT_THAT(told(panic).what, Not(HasSubstr("stack overflow")));
  panic.far = stack + 4;
  EXPECT_THAT(told(panic).what, Not(HasSubstr("stack overflow")));
}

// Without names the addresses stand.
TEST(Diagnosis, WithoutNames) {
  const PanicDiagnosis one =
      diagnose({.esr = brk | 0x123, .spsr = from_el2, .elr = text}, {}, PlaceOf{});
  EXPECT_EQ(one.what, "BRK #0x123");
  EXPECT_THAT(one.where, IsEmpty());
  EXPECT_THAT(one.caller, IsEmpty());
}

// No two prototypes have one word: reports cannot name the wrong one.
TEST(KcfiWords, AreDistinct) {
  std::set<std::uint32_t> words;
  for (const pkvm::kcfi::Type& type : pkvm::kcfi::types) {
    EXPECT_TRUE(words.insert(type.words.plain).second) << type.prototype;
    EXPECT_TRUE(words.insert(type.words.normalised).second) << type.prototype;
    EXPECT_EQ(pkvm::kcfi::find_type(type.words.plain), &type);
  }
  EXPECT_EQ(pkvm::kcfi::find_type(1), nullptr);
}

}  // namespace
}  // namespace pkvmemu::observe
