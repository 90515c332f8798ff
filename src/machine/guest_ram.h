// SPDX-License-Identifier: GPL-2.0-only
// The guest's RAM: one anonymous mapping, zero, of which only what is touched costs memory. It is a
// shared one, so that the CPU can map it a second time (cpu/code_pages.h); a process that forks
// must not go on running it in both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "machine/placement.h"
#include "support/address.h"
#include "support/result.h"

namespace pkvmemu::machine {

/// Whether the CPU can map the RAM a second time, which spares it throwing all translations away
/// when code is rewritten (cpu/code_pages.h). Such RAM costs a run some five in a hundred; a
/// process that forks must not go on running it in both.
enum class RamMapping : std::uint8_t { once, several_times };

class GuestRam {
 public:
  static Result<GuestRam> allocate(std::uint64_t size, RamMapping mapping = RamMapping::once);
  GuestRam(GuestRam&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  GuestRam& operator=(GuestRam&&) = delete;
  GuestRam(const GuestRam&) = delete;
  GuestRam& operator=(const GuestRam&) = delete;
  ~GuestRam();

  [[nodiscard]] std::span<std::byte> all() const { return bytes_; }
  [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }
  [[nodiscard]] bool contains(Range range) const;
  /// `range` lies in RAM.
  [[nodiscard]] std::span<std::byte> at(Range range) const;

 private:
  explicit GuestRam(std::span<std::byte> bytes) : bytes_(bytes) {}

  std::span<std::byte> bytes_;
};

}  // namespace pkvmemu::machine
