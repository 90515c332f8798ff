// SPDX-License-Identifier: GPL-2.0-only
// The event port (include/pkvm/event.h): a doorbell in MMIO, two rings of records in guest RAM. A
// ring's memory belongs to the guest, so nothing in it is trusted: of the header only `produced` is
// read, and how many records a ring has is our own number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "device/bus.h"
#include "pkvm/event.h"

namespace pkvmemu::device {

class EventPort final : public Device {
 public:
  enum class Producer : std::uint8_t { hyp, host };
  /// Called for each record in the order of production, while the guest waits. The strings in the
  /// record are terminated.
  using Sink = std::function<void(Producer, const pkvm::event::Record&)>;

  /// The rings are guest RAM; their headers are written here.
  EventPort(std::span<std::byte> hyp_ring, std::span<std::byte> host_ring, Sink sink);

  /// Which rings have news, as doorbell bits: always 0, since draining is synchronous.
  std::uint64_t read(std::uint64_t offset, unsigned size) noexcept override;
  void write(std::uint64_t offset, unsigned size, std::uint64_t value) noexcept override;

  /// Records that a producer overwrote before it rang the doorbell.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

  /// What the port knows besides the rings, which are RAM.
  struct State {
    std::array<std::uint32_t, 2> consumed{};
    std::uint64_t lost = 0;
  };
  [[nodiscard]] State save() const;
  void restore(const State& state);

 private:
  struct Ring {
    Producer producer;
    std::uint32_t doorbell;
    std::span<std::byte> memory;
    std::uint32_t consumed = 0;
  };

  void drain(Ring& ring);

  std::array<Ring, 2> rings_;
  Sink sink_;
  std::uint64_t lost_ = 0;
};

}  // namespace pkvmemu::device
