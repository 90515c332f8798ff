// SPDX-License-Identifier: GPL-2.0-only
// All that a user scripts around the firmware, as one thing that is saved and restored: devices,
// the secure world, and the log of both.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "device/bus.h"
#include "device/script.h"
#include "device/scripted_device.h"
#include "device/secure_memory.h"
#include "device/secure_world.h"
#include "device/world_use.h"

namespace pkvmemu::device {

class ScriptedWorld {
 public:
  struct Listeners {
    /// Has the last word on what a read gets.
    std::function<std::uint64_t(Pa, std::uint64_t)> answer{};
    /// At which exception level the guest is.
    std::function<unsigned()> level{};
    /// Each line of the log as it comes; may be empty.
    std::function<void(std::string_view)> line{};
    SecureMemory memory{};
  };
  ScriptedWorld(WorldScript script, Listeners listeners);

  /// The regions overlap nothing on the bus.
  void attach_to(Bus& bus);
  SecureWorld& secure() { return secure_; }
  [[nodiscard]] WorldUse use() const;

  struct State {
    std::vector<ScriptedDevice::State> devices;
    SecureWorld::State secure;
    std::vector<std::string> log;
    std::uint64_t dropped = 0;
  };
  [[nodiscard]] State save() const;
  void restore(const State& state);

 private:
  void log(std::string line);

  Listeners listeners_;
  std::vector<std::unique_ptr<ScriptedDevice>> devices_;
  SecureWorld secure_;
  std::vector<std::string> log_;
  std::uint64_t dropped_ = 0;
};

}  // namespace pkvmemu::device
