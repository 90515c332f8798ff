// SPDX-License-Identifier: GPL-2.0-only
// Ops that refused something, in words.
#include "observe/refused_op.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "event_builder.h"

namespace pkvmemu::observe {
namespace {

using pkvm::event::RefusedSubject;
using test::EventBuilder;
using test::facts_of;
using test::Kind;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr std::uint64_t ebusy = ~std::uint64_t{15};

Place place_of(std::uint64_t address, unsigned /*el*/) {
  return {.text = address == 0x1000 ? "take [mine]" : "init+0x8 [mine]"};
}

// What was asked, where, the answer, and advice.
TEST(RefusedOp, SaysAllOfIt) {
  EventBuilder events;
  events.boot().hyp(Kind::op_refused, {ebusy, 0x1000, 0x2004, 0}, {"register_psci_notifier", ""});
  Facts facts = facts_of(events);
  facts.place_of = place_of;
  const RunReport report = make_report(facts);
  ASSERT_THAT(report.refused_ops, SizeIs(1));
  EXPECT_THAT(line_of(report.refused_ops[0]),
              StartsWith("op register_psci_notifier(take [mine]) in init+0x8 [mine] answered -16 "
                         "(EBUSY): one is taken in all"));
}

// The same at the same place is told once, and counted; another place is another entry.
TEST(RefusedOp, TheSameIsCounted) {
  EventBuilder events;
  events.boot();
  for (const std::uint64_t caller : {0x2004U, 0x2004U, 0x3004U})
    events.hyp(Kind::op_refused, {ebusy, 0x1000, caller, 0}, {"register_serial_driver", ""});
  const RunReport report = make_report(facts_of(events));
  ASSERT_THAT(report.refused_ops, SizeIs(2));
  EXPECT_EQ(report.refused_ops[0].count, 2U);
  EXPECT_THAT(line_of(report.refused_ops[0]), HasSubstr(", 2 times"));
}

// Operations on pages say what their page has to be.
TEST(RefusedOp, PagesHaveTheirAdvice) {
  constexpr std::uint64_t enodev = ~std::uint64_t{18};
  constexpr std::uint64_t eperm = ~std::uint64_t{0};
  EventBuilder events;
  events.boot();
  events.hyp(Kind::op_refused, {enodev, 0x5000'0000, 0x2004, 1}, {"device_register_reset", ""});
  events.hyp(Kind::op_refused, {eperm, 0x5000'0000, 0x2004, 1}, {"pin_shared_mem", ""});
  const RunReport report = make_report(facts_of(events));
  ASSERT_THAT(report.refused_ops, SizeIs(2));
  EXPECT_THAT(line_of(report.refused_ops[0]), HasSubstr("address of a device's registers"));
  EXPECT_THAT(line_of(report.refused_ops[1]), HasSubstr("share it first"));
}

// A guest that never stops asking does not fill the report.
TEST(RefusedOp, AreBounded) {
  constexpr std::size_t most = 64;
  EventBuilder events;
  events.boot();
  for (std::uint64_t caller = 1; caller < 2 * most; ++caller)
    events.hyp(Kind::op_refused, {ebusy, 0x1000, caller, 0}, {"register_serial_driver", ""});
  EXPECT_THAT(make_report(facts_of(events)).refused_ops, SizeIs(most));
}

// NULL was taken and changes nothing; an error without general advice stands alone.
TEST(RefusedOp, AdviceFitsTheAnswer) {
  const RefusedOp null{.name = "register_host_smc_handler"};
  EXPECT_THAT(line_of(null), HasSubstr("(NULL) answered 0: nothing is registered"));
  const RefusedOp device{.name = "host_donate_hyp",
                         .answer = -1,
                         .subject = RefusedSubject::device,
                         .value = 0x9000000};
  EXPECT_THAT(line_of(device), HasSubstr("(page at 0x9000000) answered -1 (EPERM): no memory"));
  const RefusedOp unpinned{
      .name = "unpin_shared_mem", .subject = RefusedSubject::memory, .value = 0x50000000};
  EXPECT_THAT(line_of(unpinned), HasSubstr("(page at 0x50000000) has no answer: the page was not"));
  const RefusedOp other{
      .name = "host_donate_hyp", .answer = -12, .subject = RefusedSubject::memory};
  EXPECT_THAT(advice_for(other), IsEmpty());
}

}  // namespace
}  // namespace pkvmemu::observe
