// SPDX-License-Identifier: GPL-2.0-only
// A device that a script describes: registers with sequences, masks and effects, or plain memory.
//
// Every access has an answer. It is looked at byte by byte: bytes of a register are that
// register's, the others the region's rest. An access that has a register's lowest byte takes the
// next item of its sequence; one of its upper bytes alone sees the item that was taken last. So a
// register of 64 bits is read in one piece, since the bus brings its lower half first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "device/bus.h"
#include "device/script.h"
#include "device/world_use.h"

namespace pkvmemu::device {

enum class AccessKind : std::uint8_t { read, write };

/// One access, as the guest saw it.
struct Access {
  AccessKind kind = AccessKind::read;
  Pa address;
  unsigned size = 0;
  std::uint64_t value = 0;
};

class ScriptedDevice final : public Device {
 public:
  struct Listeners {
    /// Has the last word on what a read gets.
    std::function<std::uint64_t(Pa, std::uint64_t)> answer{};
    /// Told of logged accesses; the text names the place.
    std::function<void(const std::string& place, const Access&)> logged{};
  };
  ScriptedDevice(RegionScript script, Listeners listeners);

  std::uint64_t read(std::uint64_t offset, unsigned size) noexcept override;
  void write(std::uint64_t offset, unsigned size, std::uint64_t value) noexcept override;

  [[nodiscard]] const RegionScript& script() const { return script_; }
  [[nodiscard]] RegionUse use() const;

  struct RegisterState {
    std::uint64_t stored = 0;
    std::size_t step = 0;
    std::uint64_t taken = 0;               ///< of this step
    std::optional<std::uint64_t> shown{};  ///< what the sequence gave last
    bool operator==(const RegisterState&) const = default;
  };
  struct Count {
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;
    std::optional<std::uint64_t> last_read{};
    std::optional<std::uint64_t> last_written{};
    bool operator==(const Count&) const = default;
  };
  using Page = std::array<std::byte, page_size>;
  /// Pages are shared with whoever saved them, and copied before a change.
  struct State {
    std::vector<RegisterState> registers;
    std::vector<Count> counts;  ///< of the registers
    std::map<std::uint64_t, Count> others;
    std::map<std::uint64_t, std::shared_ptr<Page>> pages;
    Count all;
  };
  [[nodiscard]] const State& save() const { return state_; }
  void restore(const State& state) { state_ = state; }

 private:
  [[nodiscard]] std::optional<std::size_t> register_at(std::uint64_t offset) const;
  [[nodiscard]] std::uint64_t next_item(std::size_t index);
  [[nodiscard]] std::uint64_t shown(std::size_t index) const;
  [[nodiscard]] std::uint64_t part_read(std::size_t index, std::uint64_t offset, unsigned size);
  void write_part(std::size_t index, std::uint64_t offset, unsigned size, std::uint64_t value);
  void apply(const WriteEffect& effect, std::uint64_t written);
  [[nodiscard]] std::byte rest_byte(std::uint64_t offset) const;
  void keep_rest_byte(std::uint64_t offset, std::byte value);
  void note(const Access& access);
  static void count(Count& counted, const Access& access);

  RegionScript script_;
  Listeners listeners_;
  State state_;
};

}  // namespace pkvmemu::device
