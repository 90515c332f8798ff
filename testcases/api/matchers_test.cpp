// SPDX-License-Identifier: GPL-2.0-only
// Matchers tell right from wrong, and say what was wrong.
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "pkvmemu/gmock.h"

namespace pkvmemu::test {
namespace {

using testing::_;
using testing::Gt;
using testing::HasSubstr;
using testing::Not;

template <typename Value, typename Matcher>
std::string explanation(const Value& value, const Matcher& matcher) {
  testing::StringMatchResultListener listener;
  testing::ExplainMatchResult(matcher, value, &listener);
  return listener.str();
}

CallResult answered(decltype(CallResult::x) x) {
  return {.name = "f", .arguments = {1, 2}, .state = CallResult::State::answered, .x = x};
}

// Registers match by value, by matcher, and negative ones as they stand in a register.
TEST(Matchers, Answers) {
  const CallResult result = answered({0, static_cast<std::uint64_t>(-EINVAL), 7});
  EXPECT_THAT(result, Answers());
  EXPECT_THAT(result, Answers(0, -EINVAL, Gt(6U)));
  EXPECT_THAT(result, Answers(_, _, 7));
  EXPECT_THAT(result, Not(Answers(1)));
  EXPECT_THAT(result, Not(Answers(0, EINVAL)));
  EXPECT_THAT(result, Not(IsRefused()));
  EXPECT_EQ(explanation(result, Answers(0, 5)), "whose x1 is -22");
  EXPECT_THAT(answered({~std::uint64_t{0}}), IsRefused());
  EXPECT_THAT((CallResult{.name = "f", .arguments = {}}), Not(Answers()));
}

// A call that was not made is neither an answer nor a panic.
TEST(Matchers, NotMade) {
  const CallResult result{.name = "f",
                          .arguments = {},
                          .state = CallResult::State::not_made,
                          .reason = "nobody registered it"};
  EXPECT_THAT(result, NotMade());
  EXPECT_THAT(result, NotMade(HasSubstr("nobody")));
  EXPECT_THAT(result, Not(NotMade("somebody")));
  EXPECT_THAT(result, Not(NeverReturned()));
  EXPECT_THAT(answered({}), Not(NotMade()));
}

// Of loads: state, status and reason each count.
TEST(Matchers, Loads) {
  const LoadResult failed{.module = "m",
                          .state = LoadResult::State::failed,
                          .status = -ENOMEM,
                          .reason = "init returned -12 (ENOMEM)"};
  EXPECT_THAT(failed, FailedToLoad(-ENOMEM));
  EXPECT_THAT(failed, FailedToLoad(-ENOMEM, HasSubstr("init")));
  EXPECT_THAT(failed, Not(FailedToLoad(-EPERM)));
  EXPECT_THAT(failed, Not(FailedToLoad(-ENOMEM, "no such file")));
  EXPECT_THAT(failed, Not(Loaded()));
  EXPECT_THAT(failed, Not(RefusedToLoad()));
  EXPECT_THAT((LoadResult{.module = "m", .state = LoadResult::State::loaded}), Loaded());
}

// Of runs: a module by its name, a fault that came to pass, how it ended.
TEST(Matchers, Verdicts) {
  Verdict verdict;
  verdict.protected_vms = Verdict::ProtectedVms::unavailable;
  verdict.protected_vms_reason = "no pvmfw reserved";
  verdict.modules = {{.module = "m", .state = LoadResult::State::loaded}};
  verdict.faults = {{.site = "a", .reached = 2, .fired = 1}, {.site = "b", .reached = 2}};
  EXPECT_THAT(verdict, Module("m", Loaded()));
  EXPECT_THAT(verdict, Not(Module("n", Loaded())));
  EXPECT_EQ(explanation(verdict, Module("n", Loaded())), "which had no such module");
  EXPECT_THAT(verdict, Failed("a"));
  EXPECT_THAT(verdict, Not(Failed("b")));
  EXPECT_THAT(verdict, Not(Failed("c")));
  EXPECT_THAT(verdict, ProtectedVmsUnavailable());
  EXPECT_THAT(verdict, ProtectedVmsUnavailable(HasSubstr("pvmfw")));
  EXPECT_THAT(verdict, Not(ProtectedVmsUnavailable("hyp panic")));
  EXPECT_THAT(verdict, Not(ProtectedVmsAvailable()));
  EXPECT_THAT(verdict, PowersOff());
  verdict.host_panic = "Oops";
  EXPECT_THAT(verdict, Not(PowersOff()));
  EXPECT_THAT(verdict, Not(HypPanics()));
}

// A failing test shows what happened in words, errors by their names.
TEST(Printing, IsForPeople) {
  using testing::PrintToString;
  EXPECT_EQ(PrintToString(Status(-ENOMEM)), "-12 (ENOMEM)");
  EXPECT_EQ(PrintToString(Generation::android16_6_12), "android16-6.12");
  EXPECT_EQ(PrintToString(Verdict::ProtectedVms::unavailable), "unavailable");
  EXPECT_EQ(PrintToString(LoadResult::State::not_tried), "not_tried");
  EXPECT_EQ(PrintToString(PhysicalAddress{0x4000'0000}), "0x40000000");
  EXPECT_EQ(PrintToString(answered({0, 3})), "f(0x1, 0x2): x0 0x0, x1 0x3, x2 0x0, x3 0x0");
  EXPECT_EQ(
      PrintToString(LoadResult{
          .module = "m", .state = LoadResult::State::failed, .status = -EPERM, .reason = "why"}),
      "module m: NOT loaded, -1 (EPERM) (why)");
  EXPECT_EQ(PrintToString(FaultResult{.site = "a", .reached = 2, .fired = 1}),
            "fault a: reached 2 times, failed 1 times");
}

}  // namespace
}  // namespace pkvmemu::test
