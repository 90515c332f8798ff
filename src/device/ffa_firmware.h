// SPDX-License-Identifier: GPL-2.0-only
// A secure world that speaks FF-A (Arm DEN 0077A 1.0 and 1.1), as a hypervisor at EL2 meets it: it
// agrees on a version, takes one pair of buffers, keeps the lists of memory that it is given, and
// tells them again by handle. It never touches that memory; what its partitions do is a script's
// affair.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "device/script.h"
#include "device/secure_memory.h"
#include "pkvm/ffa.h"

namespace pkvmemu::device {

class FfaFirmware {
 public:
  /// x0 to x7.
  using Words = std::array<std::uint64_t, 8>;

  FfaFirmware(FfaScript script, SecureMemory memory)
      : script_(std::move(script)), memory_(std::move(memory)) {}

  /// None for what is not FF-A's.
  [[nodiscard]] std::optional<Words> call(const Words& x);
  /// "FFA_MEM_SHARE"; empty for what this firmware does not know.
  [[nodiscard]] static std::string_view name_of(std::uint32_t id);

  /// Memory that somebody gave: its descriptor as far as it has come.
  struct Region {
    std::vector<std::byte> descriptor;
    std::uint64_t length = 0;
    [[nodiscard]] bool is_complete() const { return descriptor.size() == length; }
  };
  struct State {
    std::uint32_t version = 0;  ///< that the caller uses
    Pa tx{0};
    Pa rx{0};                   ///< 0: no buffers are mapped
    bool is_receiving = false;  ///< the caller has not released what rx holds
    std::uint64_t handles = 0;  ///< given so far
    std::map<std::uint64_t, Region> regions{};
  };
  [[nodiscard]] const State& save() const { return state_; }
  void restore(const State& state) { state_ = state; }

 private:
  using Error = pkvm::ffa::Error;
  struct Row;
  static const Row* row_of(std::uint32_t id);

  Words agree_on_version(const Words& x);
  Words features(const Words& x);
  Words own_id(const Words& x);
  Words map_buffers(const Words& x);
  Words unmap_buffers(const Words& x);
  Words release_rx(const Words& x);
  Words partition_info(const Words& x);
  Words take_memory(const Words& x);
  Words take_fragment(const Words& x);
  Words tell_memory(const Words& x);
  Words tell_fragment(const Words& x);
  Words give_back(const Words& x);

  /// Whether its receiver is a partition.
  [[nodiscard]] bool has_receiver(const Region& region) const;
  [[nodiscard]] std::size_t header_size() const;
  /// The answer to a fragment that has come: ask for the next, or the handle.
  Words answer_for(std::uint64_t handle);
  /// Some of the descriptor, into rx.
  [[nodiscard]] std::optional<std::uint64_t> send(const Region& region, std::uint64_t from);

  FfaScript script_;
  SecureMemory memory_;
  State state_;
};

}  // namespace pkvmemu::device
