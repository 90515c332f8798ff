// SPDX-License-Identifier: GPL-2.0-only
// EL3 as its caller sees it: a script's answers first, then our monitor (PSCI), a secure world with
// FF-A if there is one, and SMCCC's NOT_SUPPORTED for what none of them knows. It keeps count of
// who asked for what.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "device/el3_monitor.h"
#include "device/ffa_firmware.h"
#include "device/script.h"
#include "device/secure_memory.h"
#include "device/world_use.h"

namespace pkvmemu::device {

class SecureWorld {
 public:
  /// x0 to x17 (SMCCC 1.2).
  using Registers = std::array<std::uint64_t, 18>;
  /// Told of logged calls: "0xc2000001(0x1, ...) = 0x0, ...".
  using Log = std::function<void(const std::string&)>;

  /// Without memory scripts write nothing.
  SecureWorld(std::vector<SecureCallScript> script, Log log, SecureMemory memory = {})
      : script_(std::move(script)),
        log_(std::move(log)),
        memory_(std::move(memory)),
        answered_(script_.size()) {}
  void speak_ffa(FfaScript script) { ffa_.emplace(std::move(script), memory_); }
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
    Pa rx{0};
    FfaFirmware::State ffa{};
  };
  [[nodiscard]] State save() const;
  void restore(const State& state);

 private:
  struct Exchange {
    const Registers& asked;
    const Registers& answered;
    SecureSource source = SecureSource::nobody;
    std::string_view name{};
    bool is_logged = false;
  };
  [[nodiscard]] Answer answer_of_script(const Registers& x, std::size_t index);
  [[nodiscard]] std::optional<Answer> answer_of_ffa(const Registers& x);
  [[nodiscard]] Pa place_of(const SecurePlace& place, const Registers& x) const;
  void write(const SecureCallScript& script, const Registers& x);
  [[nodiscard]] const SecureAnswer* next_answer(std::size_t index);
  void note(const Exchange& exchange);
  [[nodiscard]] SecureUse* use_of(std::uint32_t function);

  std::vector<SecureCallScript> script_;
  Log log_;
  SecureMemory memory_;
  std::optional<FfaFirmware> ffa_{};
  Pa rx_{0};  ///< of the caller's last FFA_RXTX_MAP
  bool logs_everything_ = false;
  std::vector<std::uint64_t> answered_;  ///< calls that each script has had
  std::vector<SecureUse> uses_;
};

}  // namespace pkvmemu::device
