// SPDX-License-Identifier: GPL-2.0-only
// The producer's side of an event ring (pkvm/event.h). EL2 and the host each own one.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "pkvm/event.h"

namespace pkvmemu::fw {

class EventRing {
 public:
  /// Silent: what a machine without an event port gets.
  constexpr EventRing() = default;

  /// Writes the ring's header at `memory` (`size` bytes) and reports with `doorbell_bit`. A ring
  /// too small for one record stays silent.
  static EventRing attach(void* memory, std::uint64_t size, volatile std::uint32_t* doorbell,
                          std::uint32_t doorbell_bit);

  bool enabled() const { return header_ != nullptr; }

  /// Strings are cut to what a record holds; values beyond 15 are dropped.
  void emit(pkvm::event::Kind kind, std::initializer_list<std::uint64_t> values,
            std::string_view name = {}, std::string_view text = {});
  /// A record as it is, but for its sequence number.
  void emit(const pkvm::event::Record& record);

 private:
  pkvm::event::RingHeader* header_ = nullptr;
  pkvm::event::Record* records_ = nullptr;
  volatile std::uint32_t* doorbell_ = nullptr;
  std::uint32_t doorbell_bit_ = 0;
  std::uint32_t capacity_ = 0;
  std::uint32_t produced_ = 0;
};

}  // namespace pkvmemu::fw
