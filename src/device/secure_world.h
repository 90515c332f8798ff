// SPDX-License-Identifier: GPL-2.0-only
// EL3 as its caller sees it: a script's answers first, then our monitor (PSCI), and
// SMCCC's NOT_SUPPORTED for what neither knows. It keeps count of who asked for what.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "device/el3_monitor.h"
#include "device/script.h"
#include "device/world_use.h"

namespace pkvmemu::device {

class SecureWorld {
 public:
  /// x0 to x17 (SMCCC 1.2).
  using Registers = std::array<std::uint64_t, 18>;
  /// Told of logged calls: "0xc2000001(0x1, ...) = 0x0, ...".
  using Log = std::function<void(const std::string&)>;

  SecureWorld(std::vector<SecureCallScript> script, Log log)
      : script_(std::move(script)), log_(std::move(log)), answered_(script_.size()) {}
  void log_everything() { logs_everything_ = true; }

  struct Answer {
    Registers x{};
    El3Monitor::Action action = El3Monitor::Action::resume;
    Pa entry{0};
  };
  [[nodiscard]] Answer call(const Registers& x);
  /// Somebody else answered in our place.
  void note_other(const Registers& asked, const Registers& answered);

  [[nodiscard]] const std::vector<SecureUse>& use() const { return uses_; }

  struct State {
    std::vector<std::uint64_t> answered;
    std::vector<SecureUse> uses;
  };
  [[nodiscard]] State save() const { return {.answered = answered_, .uses = uses_}; }
  void restore(const State& state) {
    answered_ = state.answered;
    uses_ = state.uses;
  }

 private:
  struct Exchange {
    const Registers& asked;
    const Registers& answered;
    SecureSource source = SecureSource::nobody;
    const SecureCallScript* script = nullptr;
  };
  [[nodiscard]] const SecureAnswer* next_answer(std::size_t index);
  void note(const Exchange& exchange);
  [[nodiscard]] SecureUse* use_of(std::uint32_t function);

  std::vector<SecureCallScript> script_;
  Log log_;
  bool logs_everything_ = false;
  std::vector<std::uint64_t> answered_;  ///< calls that each script has had
  std::vector<SecureUse> uses_;
};

}  // namespace pkvmemu::device
