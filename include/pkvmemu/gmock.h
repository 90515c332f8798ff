// SPDX-License-Identifier: GPL-2.0-only
// Matchers for the results of pkvm-emu's C++ interface. Header only, on top of GoogleMock; the
// library itself does not need it.
//
//   EXPECT_THAT(emulator.call("add", {40, 2}), Answers(0, 42));
//   EXPECT_THAT(emulator.finish(), AllOf(Loaded("hello"), ProtectedVmsAvailable()));
#pragma once

#include <gmock/gmock.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "pkvmemu/results.h"
#include "pkvmemu/types.h"

namespace pkvmemu::inline v1 {
namespace gmock_detail {

using RegisterMatcher = testing::Matcher<std::uint64_t>;

/// Numbers stand for themselves, -EINVAL and the like as a register holds them.
template <typename T>
RegisterMatcher register_matcher(const T& expected) {
  if constexpr (std::integral<T>)
    return testing::Eq(static_cast<std::uint64_t>(expected));
  else
    return testing::SafeMatcherCast<std::uint64_t>(expected);
}

class AnswersMatcher {
 public:
  using is_gtest_matcher = void;
  explicit AnswersMatcher(std::vector<RegisterMatcher> registers)
      : registers_(std::move(registers)) {}

  bool MatchAndExplain(const CallResult& result, testing::MatchResultListener* listener) const {
    if (result.state != CallResult::State::answered) return false;
    for (std::size_t i = 0; i < registers_.size(); ++i) {
      if (registers_[i].Matches(result.x[i])) continue;
      *listener << "whose x" << i << " is " << static_cast<std::int64_t>(result.x[i]);
      return false;
    }
    return true;
  }
  void DescribeTo(std::ostream* stream) const { describe(*stream, "answers"); }
  void DescribeNegationTo(std::ostream* stream) const { describe(*stream, "does not answer"); }

 private:
  void describe(std::ostream& stream, const char* verb) const {
    stream << verb;
    for (std::size_t i = 0; i < registers_.size(); ++i) {
      stream << (i == 0 ? " with x" : ", x") << i << " that ";
      registers_[i].DescribeTo(&stream);
    }
  }
  std::vector<RegisterMatcher> registers_;
};

template <typename Reason>
testing::Matcher<std::string> reason_matcher(const Reason& reason) {
  return testing::SafeMatcherCast<std::string>(reason);
}

}  // namespace gmock_detail

/// A call that came back with these values, or values that match these, in x0 and on:
/// Answers(0, 42), Answers(0, -EINVAL), Answers(_, Gt(5)).
template <typename... Registers>
  requires(sizeof...(Registers) <= 8)
auto Answers(const Registers&... registers) {
  return gmock_detail::AnswersMatcher({gmock_detail::register_matcher(registers)...});
}

/// A call that nobody knows, or that is forbidden: x0 is SMCCC's "not supported", -1.
inline auto IsRefused() {
  return Answers(-1);
}

/// A call that the kernel could not make, for a reason that matches.
template <typename Reason = testing::internal::AnythingMatcher>
testing::Matcher<const CallResult&> NotMade(const Reason& reason = testing::_) {
  return testing::AllOf(
      testing::Field("state", &CallResult::state, CallResult::State::not_made),
      testing::Field("reason", &CallResult::reason, gmock_detail::reason_matcher(reason)));
}

/// A call or an access in whose middle the run ended: of a panic, for one.
MATCHER(NeverReturned, negation ? "returned" : "never returned") {
  return arg.state == std::remove_cvref_t<decltype(arg)>::State::never_returned;
}

/// A module that is loaded.
MATCHER(Loaded, negation ? "is not loaded" : "is loaded") {
  return arg.state == LoadResult::State::loaded;
}

/// A module that did not load, with this status, for a reason that matches.
template <typename Reason = testing::internal::AnythingMatcher>
testing::Matcher<const LoadResult&> FailedToLoad(Status status, const Reason& reason = testing::_) {
  return testing::AllOf(
      testing::Field("state", &LoadResult::state, LoadResult::State::failed),
      testing::Field("status", &LoadResult::status, status),
      testing::Field("reason", &LoadResult::reason, gmock_detail::reason_matcher(reason)));
}

/// A module that came after deprivilege and got the specified refusal.
inline testing::Matcher<const LoadResult&> RefusedToLoad() {
  return testing::Field("state", &LoadResult::state, LoadResult::State::refused);
}

/// A run in which this module matches: Module("hello", Loaded()).
MATCHER_P2(Module, name, matcher,
           "module " + std::string(name) + " " +
               testing::DescribeMatcher<const LoadResult&>(matcher, negation)) {
  const LoadResult* module = arg.module(name);
  if (module == nullptr) {
    *result_listener << "which had no such module";
    return false;
  }
  return testing::ExplainMatchResult(matcher, *module, result_listener);
}

/// An access that read, or wrote, a value that matches.
template <typename Value>
testing::Matcher<const TouchResult&> Reads(const Value& value) {
  return testing::AllOf(
      testing::Field("state", &TouchResult::state, TouchResult::State::done),
      testing::Field("value", &TouchResult::value, gmock_detail::register_matcher(value)));
}

/// An access that went through, or one that raised an exception.
inline testing::Matcher<const TouchResult&> IsDone() {
  return testing::Field("state", &TouchResult::state, TouchResult::State::done);
}
inline testing::Matcher<const TouchResult&> Aborts() {
  return testing::Field("state", &TouchResult::state, TouchResult::State::aborted);
}

/// A guest that ran to its own end.
inline testing::Matcher<const GuestResult&> RanToItsEnd() {
  return testing::Field("ran_to_its_end", &GuestResult::ran_to_its_end, true);
}

/// A run after which a protected VM was started, and its firmware reported in.
inline testing::Matcher<const Verdict&> ProtectedVmsAvailable() {
  return testing::Field("protected_vms", &Verdict::protected_vms, Verdict::ProtectedVms::available);
}

/// A run that leaves no protected VMs, for a reason that matches.
template <typename Reason = testing::internal::AnythingMatcher>
testing::Matcher<const Verdict&> ProtectedVmsUnavailable(const Reason& reason = testing::_) {
  return testing::AllOf(
      testing::Field("protected_vms", &Verdict::protected_vms, Verdict::ProtectedVms::unavailable),
      testing::Field("protected_vms_reason", &Verdict::protected_vms_reason,
                     gmock_detail::reason_matcher(reason)));
}

/// A run in whose middle the hypervisor panicked.
inline testing::Matcher<const Verdict&> HypPanics() {
  return testing::Field("hyp_panic", &Verdict::hyp_panic, true);
}

/// A run that the kernel ended by power-off, without a panic of anyone's.
inline testing::Matcher<const Verdict&> PowersOff() {
  return testing::AllOf(testing::Field("end", &Verdict::end, Verdict::End::powered_off),
                        testing::Field("hyp_panic", &Verdict::hyp_panic, false),
                        testing::Field("host_panic", &Verdict::host_panic, std::nullopt));
}

/// A run in which this fault came to pass: one that did not has tested nothing.
MATCHER_P(Failed, site,
          std::string("fault ") + std::string(site) +
              (negation ? " never came to pass" : " came to pass")) {
  const FaultResult* fault = arg.fault(site);
  return fault != nullptr && fault->fired > 0;
}

}  // namespace pkvmemu::inline v1
