// SPDX-License-Identifier: GPL-2.0-only
// Hyp trace events of modules (pkvm-abi.md 1.6, 2.8, 5.3, 5.4): numbered by the kernel, registered
// by the module (6.6) or by pKVM (6.12), enabled by a hypercall, written by EL2, shown by the
// kernel.
#include <gmock/gmock.h>

#include "conformance/ops/ops_fixture.h"
#include "harness/generation_printer.h"
#include "pkvm/hypercall.h"
#include "pkvm/smccc.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;
using pkvm::Hypercall;
using testing::ElementsAre;

// testcases/modules/events/events.h, whose types are the kernel's.
enum Operation : std::uint8_t { sum, mark, many, reserve, register_ids, printk };

class Trace : public OpsRun {
 protected:
  Trace() { load("events"); }
  void trace() { parameter("pkvmemu.trace_events"); }
  std::size_t events(Operation operation, std::uint64_t x2 = 0, std::uint64_t x3 = 0) {
    return call("events_hvc", {operation, x2, x3});
  }
  std::size_t host_call(Hypercall call, Numbers arguments = {}) {
    return hvc(pkvm::smccc::kvm_host_id(*pkvm::hypercall_number(id(), call)), arguments);
  }
  std::vector<std::string> shown() const { return lines_with(console(), "hyp event"); }
};
INSTANTIATE_TEST_SUITE_P(Generations, Trace,
                         testing::Values(pkvm::info(Generation::android15_6_6),
                                         pkvm::info(Generation::android16_6_12)),
                         generation_name);

// An enabled event's entries come out in order, by the event's format, on the console and in the
// report; a format that computes falls back to the fields.
TEST_P(Trace, EntriesAreShownByTheirFormat) {
  trace();
  const auto written = events(sum, 7, 9);
  events(mark, 5);
  run();
  EXPECT_EQ(answer(written), 1);
  EXPECT_THAT(shown(),
              ElementsAre("hyp event sum: a=0x00000007 b=9 d=-2", "hyp event mark: number=0x5"));
  const auto& entries = report().at("trace_events");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries.at(0).at("name"), "sum");
  EXPECT_EQ(entries.at(0).at("text"), "a=0x00000007 b=9 d=-2");
  holds("1.6/tracing_reserve_entry.entry");
  holds("1.6/tracing_commit_entry");
  holds("2.8/ids");
  holds("2.8/record");
}

// Events are off until the host enables them, and there is no room while there is no buffer.
TEST_P(Trace, NothingIsWrittenWithoutABuffer) {
  const auto written = events(sum, 1, 2);
  const auto room = events(reserve, 16);
  run();
  EXPECT_EQ(answer(written), 0) << "its flag is clear";
  EXPECT_EQ(answer(room), 0);
  EXPECT_TRUE(shown().empty());
  holds("1.6/tracing_reserve_entry.unavailable");
  holds("2.8/off_at_first");
}

// The host switches each event by its id; an id that nobody has is refused.
TEST_P(Trace, EventsAreSwitchedById) {
  constexpr std::uint64_t sum_id = 2, mark_id = 3, nobody = 77;
  trace();
  const auto off = host_call(Hypercall::pkvm_enable_event, {sum_id, 0});
  const auto not_written = events(sum, 1, 2);
  const auto other = events(mark, 1);
  const auto on = host_call(Hypercall::pkvm_enable_event, {sum_id, 1});
  const auto written = events(sum, 1, 2);
  const auto refused = host_call(Hypercall::pkvm_enable_event, {nobody, 1});
  run();
  EXPECT_EQ(answer(off), 0);
  EXPECT_EQ(answer(not_written), 0);
  EXPECT_EQ(answer(other), 1) << "id " << mark_id << " is still on";
  EXPECT_EQ(answer(on), 0);
  EXPECT_EQ(answer(written), 1);
  EXPECT_EQ(answer(refused), einval);
  holds("2.8/toggling");
  holds("5/enable_event");
}

// While tracing is off as a whole nothing finds room; the buffer stays.
TEST_P(Trace, TracingIsSwitchedAsAWhole) {
  trace();
  host_call(Hypercall::pkvm_enable_tracing, {0});
  const auto no_room = events(reserve, 16);
  host_call(Hypercall::pkvm_enable_tracing, {1});
  const auto room = events(reserve, 16);
  run();
  EXPECT_EQ(answer(no_room), 0);
  EXPECT_EQ(answer(room), 1);
  holds("5/enable_tracing");
}

// More than a page is never granted; an entry that was not committed is not shown.
TEST_P(Trace, RoomIsBoundedAndCommitted) {
  trace();
  const auto too_much = events(reserve, 4096);
  const auto room = events(reserve, 64);
  events(mark, 9);
  run();
  EXPECT_EQ(answer(too_much), 0);
  EXPECT_EQ(answer(room), 1);
  EXPECT_THAT(shown(), ElementsAre("hyp event mark: number=0x9"));
}

// When nobody reads, the oldest entries go, and the reader hears of it.
TEST_P(Trace, TheOldestEntriesAreLost) {
  constexpr std::uint64_t count = 10'000;
  trace();
  const auto written = events(many, count);
  run();
  EXPECT_EQ(answer(written), count);
  const auto entries = lines_with(console(), "hyp event mark");
  EXPECT_EQ(entries.back(), fmt::format("hyp event mark: number={:#x}", (count - 1) % 256));
  EXPECT_EQ(lines(fmt::format("hyp events: {} lost", count - entries.size())), 1U);
}

// 6.6: the module registers its ids, 128 ranges in all; the 129th is -ENOMEM.
TEST_P(Trace, IdRangesAreBounded) {
  if (!is(Generation::android15_6_6)) GTEST_SKIP() << "6.12 has no such op";
  const auto more = events(register_ids, 130);
  run();
  EXPECT_EQ(answer(more), enomem);
  EXPECT_EQ(x(more, 2), 127U) << "one was there";
  holds("1.6/register_hyp_event_ids");
}

// 6.12: one __hyp_printk record, by the format of that number.
TEST_P(Trace, PrintkIsWrittenByItsFormat) {
  if (!is(Generation::android16_6_12)) GTEST_SKIP() << "6.6 has no such op";
  trace();
  events(printk, 1, 42);
  events(printk, 0, 43);
  host_call(Hypercall::pkvm_enable_event, {1, 0});
  events(printk, 0, 44);
  run();
  EXPECT_THAT(shown(), ElementsAre("hyp event __hyp_printk: one 42: 0x11 22 33",
                                   "hyp event __hyp_printk: zero 2b"));
  holds("1.6/tracing_mod_hyp_printk");
}

}  // namespace
}  // namespace pkvmemu::test
