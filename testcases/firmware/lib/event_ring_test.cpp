// SPDX-License-Identifier: GPL-2.0-only
#include "lib/event_ring.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using pkvmemu::fw::EventRing;
namespace event = pkvm::event;

struct EventRingTest : ::testing::Test {
  static constexpr std::size_t records = 3;
  std::vector<std::uint64_t> memory =
      std::vector<std::uint64_t>((sizeof(event::RingHeader) + records * sizeof(event::Record)) / 8);
  std::uint32_t doorbell = 0;

  EventRing attach() {
    return EventRing::attach(memory.data(), memory.size() * 8, &doorbell, event::doorbell_host);
  }
  event::RingHeader& header() { return *reinterpret_cast<event::RingHeader*>(memory.data()); }
  event::Record& record(std::size_t i) {
    return reinterpret_cast<event::Record*>(memory.data() + sizeof(event::RingHeader) / 8)[i];
  }
};

// A ring announces itself by its header and rings nothing until it has a record.
TEST_F(EventRingTest, AttachWritesTheHeader) {
  EXPECT_TRUE(attach().enabled());
  EXPECT_EQ(header().magic, event::ring_magic);
  EXPECT_EQ(header().capacity, records);
  EXPECT_EQ(header().record_size, sizeof(event::Record));
  EXPECT_EQ(doorbell, 0U);
}

// A record carries its values and strings, strings cut to fit, and rings the producer's bit.
TEST_F(EventRingTest, EmitFillsARecord) {
  EventRing ring = attach();
  ring.emit(event::Kind::module_begin, {1, 2}, "hello", std::string(500, 'x'));
  EXPECT_EQ(header().produced, 1U);
  EXPECT_EQ(doorbell, event::doorbell_host);
  EXPECT_EQ(record(0).kind, event::Kind::module_begin);
  EXPECT_EQ(record(0).value[0], 1U);
  EXPECT_EQ(record(0).value[1], 2U);
  EXPECT_EQ(record(0).value[2], 0U);
  EXPECT_STREQ(record(0).name, "hello");
  EXPECT_EQ(std::string(record(0).text), std::string(191, 'x'));
}

// The ring wraps: sequence numbers go on, and a reused record keeps nothing of the former one.
TEST_F(EventRingTest, WrapReusesRecords) {
  EventRing ring = attach();
  for (std::uint64_t i = 0; i <= records; ++i)
    ring.emit(event::Kind::done, {i + 100}, i == 0 ? "first" : "");
  EXPECT_EQ(header().produced, records + 1);
  EXPECT_EQ(record(0).sequence, records);
  EXPECT_EQ(record(0).value[0], 100 + records);
  EXPECT_STREQ(record(0).name, "");
}

// Without a ring, or with one too small for a record, nothing is written.
TEST_F(EventRingTest, SilentWithoutARing) {
  EventRing none;
  none.emit(event::Kind::done, {});
  EXPECT_FALSE(EventRing::attach(memory.data(), 64, &doorbell, 1).enabled());
  EXPECT_EQ(header().magic, 0U);
}

}  // namespace
