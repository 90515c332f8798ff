// SPDX-License-Identifier: GPL-2.0-only
// The UART (Arm PL011, DDI 0183): output only. It is never busy and its transmit FIFO never full,
// it receives nothing and raises no interrupt; the other registers keep what is written to them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "device/bus.h"

namespace pkvmemu::device {

class Pl011 final : public Device {
 public:
  /// Called for each byte transmitted.
  using Sink = std::function<void(char)>;
  explicit Pl011(Sink sink);

  std::uint64_t read(std::uint64_t offset, unsigned size) noexcept override;
  void write(std::uint64_t offset, unsigned size, std::uint64_t value) noexcept override;

  static constexpr std::size_t register_count = 0x4c / 4;
  using State = std::array<std::uint16_t, register_count>;
  [[nodiscard]] const State& save() const { return registers_; }
  void restore(const State& state) { registers_ = state; }

 private:
  Sink sink_;
  State registers_{};
};

}  // namespace pkvmemu::device
