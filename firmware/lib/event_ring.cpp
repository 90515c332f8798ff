// SPDX-License-Identifier: GPL-2.0-only
#include "lib/event_ring.h"

#include <iterator>

#include "lib/memory.h"
#include "lib/string.h"

namespace pkvmemu::fw {

namespace event = pkvm::event;

EventRing EventRing::attach(void* memory, std::uint64_t size, volatile std::uint32_t* doorbell,
                            std::uint32_t doorbell_bit) {
  EventRing ring;
  if (size < sizeof(event::RingHeader) + sizeof(event::Record)) return ring;
  ring.header_ = static_cast<event::RingHeader*>(memory);
  ring.records_ = reinterpret_cast<event::Record*>(ring.header_ + 1);
  ring.doorbell_ = doorbell;
  ring.doorbell_bit_ = doorbell_bit;
  ring.capacity_ = event::capacity_of(size);
  *ring.header_ = event::RingHeader{.magic = event::ring_magic,
                                    .version = event::version,
                                    .record_size = sizeof(event::Record),
                                    .capacity = ring.capacity_,
                                    .produced = 0,
                                    .reserved = {}};
  return ring;
}

void EventRing::emit(event::Kind kind, std::initializer_list<std::uint64_t> values,
                     std::string_view name, std::string_view text) {
  if (!enabled()) return;
  event::Record record{};
  record.kind = kind;
  std::size_t index = 0;
  for (const std::uint64_t value : values)
    if (index < std::size(record.value)) record.value[index++] = value;
  copy_string(record.name, name);
  copy_string(record.text, text);
  emit(record);
}

void EventRing::emit(const event::Record& record) {
  if (!enabled()) return;
  event::Record& slot = records_[produced_ % capacity_];
  copy_bytes(&slot, &record, sizeof(slot));
  slot.sequence = produced_;
  // The record before its count, the count before the doorbell.
  __atomic_thread_fence(__ATOMIC_RELEASE);
  __atomic_store_n(&header_->produced, ++produced_, __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  *doorbell_ = doorbell_bit_;
}

}  // namespace pkvmemu::fw
