// SPDX-License-Identifier: GPL-2.0-only
#include "observe/expectation.h"

#include <gmock/gmock.h>

#include <array>

#include "event_builder.h"
#include "observe/report.h"
#include "observe/verdict.h"

namespace pkvmemu::observe {
namespace {

using test::EventBuilder;
using test::facts_of;
using testing::HasSubstr;

/// Facts refer to the events of their builder, which outlives them.
Facts good_facts() {
  static const EventBuilder builder = EventBuilder().boot().loaded("hello").deprivilege().probe();
  Facts facts = facts_of(builder);
  facts.console = "first\nlast\n";
  return facts;
}

RunReport expecting(Facts facts, const std::string& subject, const std::string& wanted) {
  facts.expectations = {{.subject = subject, .wanted = wanted, .where = "plan.yaml:1:2"}};
  return make_report(facts);
}

// Each subject tells right from wrong, on a run in which all is well.
TEST(Expectations, EachTellsRightFromWrong) {
  struct Case {
    const char* subject;
    const char* right;
    const char* wrong;
    const char* found;
  };
  constexpr std::array cases = {
      Case{"loads", "loaded", "failed", "loaded"},
      Case{"protected_vms", "available", "unavailable", "available"},
      Case{"deprivileged", "yes", "no", "yes"},
      Case{"panic", "none", "hyp", "none"},
      Case{"ended", "powered-off", "power-cut", "powered-off"},
      Case{"exit", "0x0", "10", "0"},
      Case{"fired", "0", "1", "0"},
      Case{"console", "first\nlast", "nonesuch", "first/last"},
      Case{"console_lacks", "nonesuch", "last", "first/last"},
  };
  EXPECT_EQ(cases.size(), expectation_subjects().size());
  for (const Case& one : cases) {
    const RunReport right = expecting(good_facts(), one.subject, one.right);
    EXPECT_EQ(right.exit_code, ExitCode::good) << one.subject;
    const RunReport wrong = expecting(good_facts(), one.subject, one.wrong);
    EXPECT_EQ(wrong.exit_code, ExitCode::unexpected) << one.subject;
    EXPECT_EQ(wrong.expectations[0].found, one.found) << one.subject;
    EXPECT_THAT(verdict_lines(wrong).back().text,
                HasSubstr(fmt::format("NOT so (plan.yaml:1:2), found: {}", one.found)));
  }
}

// A run that failed as expected is good; what failed is still told.
TEST(Expectations, AnExpectedFailureIsGood) {
  const EventBuilder builder =
      EventBuilder().boot().begin("hello").failed("hello", -12, pkvm::event::Step::init_module);
  const Facts failed = facts_of(builder);
  EXPECT_EQ(make_report(failed).exit_code, ExitCode::load_failed);
  EXPECT_EQ(expecting(failed, "loads", "failed").exit_code, ExitCode::good);
  EXPECT_EQ(expecting(failed, "exit", "10").exit_code, ExitCode::good);
  EXPECT_EQ(expecting(failed, "loads", "loaded").exit_code, ExitCode::unexpected);
}

// A fault that never happened spoils a plan, unless that is what the plan expects.
TEST(Expectations, AFaultThatNeverHappenedIsNotAsExpected) {
  Facts facts = good_facts();
  facts.faults = {{.site = "hyp.donate", .fired = 0}};
  EXPECT_EQ(expecting(facts, "loads", "loaded").exit_code, ExitCode::unexpected);
  EXPECT_EQ(expecting(facts, "fired", "0").exit_code, ExitCode::good);
}

// An interruption is judged no further, whatever was expected.
TEST(Expectations, AnInterruptionStaysOne) {
  Facts facts = good_facts();
  facts.exit.reason = machine::ExitReason::stopped;
  EXPECT_EQ(expecting(facts, "loads", "failed").exit_code, ExitCode::interrupted);
}

// Words that a subject does not know are refused with those that it does.
TEST(Expectations, UnknownWordsAreRefused) {
  const auto refused = [](const char* subject, const char* wanted) {
    const auto checked = check({.subject = subject, .wanted = wanted});
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_THAT(refused("loads", "perhaps"), HasSubstr("expected loaded|failed|none"));
  EXPECT_THAT(refused("loads", "loaded|failed"), HasSubstr("not 'loaded|failed'"));
  EXPECT_THAT(refused("loads", ""), HasSubstr("expected loaded"));
  EXPECT_THAT(refused("exit", "good"), HasSubstr("expected a number"));
  EXPECT_THAT(refused("console", ""), HasSubstr("expected a text"));
  EXPECT_THAT(refused("weather", "fine"), HasSubstr("no 'weather'"));
  EXPECT_EQ(refused("protected_vms", "not-verified"), "");
}

}  // namespace
}  // namespace pkvmemu::observe
