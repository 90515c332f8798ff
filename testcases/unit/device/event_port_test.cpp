// SPDX-License-Identifier: GPL-2.0-only
// The event port, with well-behaved producers and with hostile ones.
#include "device/event_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "harness/random_seed.h"

namespace pkvmemu::device {
namespace {

namespace event = pkvm::event;
using ::testing::ElementsAre;
using Producer = EventPort::Producer;

class Port : public ::testing::Test {
 public:
  static constexpr std::size_t ring_bytes = 4096;
  static constexpr std::uint32_t capacity = event::capacity_of(ring_bytes);

  struct Seen {
    Producer producer;
    std::uint64_t value;
    bool operator==(const Seen&) const = default;
  };

  std::span<std::byte> ring(Producer producer) {
    return producer == Producer::hyp ? std::span(hyp_) : std::span(host_);
  }
  event::RingHeader header(Producer producer) {
    event::RingHeader value;
    std::memcpy(&value, ring(producer).data(), sizeof(value));
    return value;
  }
  void set_produced(Producer producer, std::uint32_t produced) {
    std::memcpy(ring(producer).data() + offsetof(event::RingHeader, produced), &produced,
                sizeof(produced));
  }
  /// Does what a producer does, but for the doorbell.
  void produce(Producer producer, std::uint64_t value) {
    const std::uint32_t number = header(producer).produced;
    event::Record record{};
    record.kind = event::Kind::done;
    record.value[0] = value;
    std::memset(record.name, 'n', sizeof(record.name));
    std::memset(record.text, 't', sizeof(record.text));
    std::memcpy(
        ring(producer).data() + sizeof(event::RingHeader) + number % capacity * sizeof(record),
        &record, sizeof(record));
    set_produced(producer, number + 1);
  }
  void ring_doorbell(std::uint32_t bits) { port_.write(event::doorbell_offset, 4, bits); }

  alignas(4096) std::array<std::byte, ring_bytes> hyp_{};
  alignas(4096) std::array<std::byte, ring_bytes> host_{};
  std::vector<Seen> seen_;
  std::vector<event::Record> records_;
  EventPort port_{hyp_, host_, [this](Producer producer, const event::Record& record) {
                    seen_.push_back({producer, record.value[0]});
                    records_.push_back(record);
                  }};
};

// The headers are ready before any producer runs.
TEST_F(Port, HeadersAreReady) {
  EXPECT_EQ(header(Producer::hyp).magic, event::ring_magic);
  EXPECT_EQ(header(Producer::host).capacity, capacity);
  EXPECT_EQ(header(Producer::host).record_size, sizeof(event::Record));
}

// Each doorbell bit drains its own ring, in order, each record once.
TEST_F(Port, ADoorbellDrainsItsRing) {
  produce(Producer::hyp, 1);
  produce(Producer::host, 2);
  produce(Producer::host, 3);
  ring_doorbell(event::doorbell_host);
  EXPECT_THAT(seen_, ElementsAre(Seen{Producer::host, 2}, Seen{Producer::host, 3}));
  ring_doorbell(event::doorbell_host);
  EXPECT_EQ(seen_.size(), 2U);
  ring_doorbell(event::doorbell_hyp | event::doorbell_host);
  EXPECT_EQ(seen_.back(), (Seen{Producer::hyp, 1}));
}

// Many more records than the ring holds come through, when the doorbell follows each.
TEST_F(Port, TheRingGoesRound) {
  for (std::uint64_t i = 0; i < 5 * capacity; ++i) {
    produce(Producer::hyp, i);
    ring_doorbell(event::doorbell_hyp);
  }
  ASSERT_EQ(seen_.size(), 5 * capacity);
  for (std::uint64_t i = 0; i < seen_.size(); ++i)
    EXPECT_EQ(seen_[i].value, i);
  EXPECT_EQ(port_.lost(), 0U);
}

// A producer that runs ahead of its doorbell loses the oldest records, and they are counted.
TEST_F(Port, OverwrittenRecordsAreCounted) {
  for (std::uint64_t i = 0; i < capacity + 3; ++i)
    produce(Producer::host, i);
  ring_doorbell(event::doorbell_host);
  ASSERT_EQ(seen_.size(), capacity);
  EXPECT_EQ(seen_.front().value, 3U);
  EXPECT_EQ(port_.lost(), 3U);
}

// Strings that the guest does not end are ended.
TEST_F(Port, StringsAreTerminated) {
  produce(Producer::hyp, 0);
  ring_doorbell(event::doorbell_hyp);
  EXPECT_EQ(std::strlen(records_[0].name), sizeof(event::Record::name) - 1);
  EXPECT_EQ(std::strlen(records_[0].text), sizeof(event::Record::text) - 1);
}

// Other offsets and sizes are not the doorbell, and it reads 0.
TEST_F(Port, OnlyTheDoorbellRings) {
  produce(Producer::hyp, 1);
  port_.write(4, 4, event::doorbell_hyp);
  port_.write(0, 1, event::doorbell_hyp);
  port_.write(0, 4, 0xffff'fffc);
  EXPECT_TRUE(seen_.empty());
  EXPECT_EQ(port_.read(0, 4), 0U);
}

// Whatever a guest writes over a header and whichever bits it rings: no access outside the ring
// (the sanitizers watch), and never more records at once than the ring holds.
TEST_F(Port, HostileHeadersAreBounded) {
  const std::uint64_t seed = pkvmemu::test::random_seed();
  std::mt19937_64 random(seed);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    for (std::byte& byte : std::span(hyp_).first(sizeof(event::RingHeader)))
      byte = static_cast<std::byte>(random());
    for (std::byte& byte : host_)
      byte = static_cast<std::byte>(random());
    if (i % 3 == 0) set_produced(Producer::hyp, ~std::uint32_t{0} - i % 7);
    const std::size_t before = seen_.size();
    ring_doorbell(static_cast<std::uint32_t>(random()));
    ASSERT_LE(seen_.size() - before, 2 * capacity);
  }
}

}  // namespace
}  // namespace pkvmemu::device
