// SPDX-License-Identifier: GPL-2.0-only
#include "device/event_port.h"

#include <cassert>
#include <cstring>
#include <utility>

namespace pkvmemu::device {
namespace {

namespace event = pkvm::event;

void write_header(std::span<std::byte> ring) {
  assert(ring.size() >= sizeof(event::RingHeader) + sizeof(event::Record));
  const event::RingHeader header{.magic = event::ring_magic,
                                 .version = event::version,
                                 .record_size = sizeof(event::Record),
                                 .capacity = event::capacity_of(ring.size()),
                                 .produced = 0,
                                 .reserved = {}};
  std::memcpy(ring.data(), &header, sizeof(header));
}

std::uint32_t read_produced(std::span<const std::byte> ring) {
  std::uint32_t produced = 0;
  std::memcpy(&produced, ring.data() + offsetof(event::RingHeader, produced), sizeof(produced));
  return produced;
}

event::Record read_record(std::span<const std::byte> ring, std::uint32_t number) {
  const std::size_t slot = number % event::capacity_of(ring.size());
  event::Record record;
  std::memcpy(&record, ring.data() + sizeof(event::RingHeader) + slot * sizeof(record),
              sizeof(record));
  record.name[sizeof(record.name) - 1] = '\0';
  record.text[sizeof(record.text) - 1] = '\0';
  return record;
}

}  // namespace

EventPort::EventPort(std::span<std::byte> hyp_ring, std::span<std::byte> host_ring, Sink sink)
    : rings_{Ring{.producer = Producer::hyp, .doorbell = event::doorbell_hyp, .memory = hyp_ring},
             Ring{.producer = Producer::host,
                  .doorbell = event::doorbell_host,
                  .memory = host_ring}},
      sink_(std::move(sink)) {
  for (const Ring& ring : rings_)
    write_header(ring.memory);
}

std::uint64_t EventPort::read(std::uint64_t /*offset*/, unsigned /*size*/) noexcept {
  return 0;
}

void EventPort::write(std::uint64_t offset, unsigned size, std::uint64_t value) noexcept {
  if (offset != event::doorbell_offset || size != sizeof(std::uint32_t)) return;
  for (Ring& ring : rings_)
    if ((value & ring.doorbell) != 0) drain(ring);
}

EventPort::State EventPort::save() const {
  return {.consumed = {rings_[0].consumed, rings_[1].consumed}, .lost = lost_};
}

void EventPort::restore(const State& state) {
  for (std::size_t i = 0; i < rings_.size(); ++i)
    rings_[i].consumed = state.consumed[i];
  lost_ = state.lost;
}

void EventPort::drain(Ring& ring) {
  const std::uint32_t capacity = event::capacity_of(ring.memory.size());
  const std::uint32_t produced = read_produced(ring.memory);
  std::uint32_t fresh = produced - ring.consumed;
  if (fresh > capacity) {
    lost_ += fresh - capacity;
    fresh = capacity;
  }
  for (std::uint32_t number = produced - fresh; number != produced; ++number)
    sink_(ring.producer, read_record(ring.memory, number));
  ring.consumed = produced;
}

}  // namespace pkvmemu::device
