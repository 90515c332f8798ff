// SPDX-License-Identifier: GPL-2.0-only
#include "device/scripted_world.h"

#include <fmt/format.h>

#include <utility>

namespace pkvmemu::device {
namespace {

/// Lines that are kept for reports; a guest may poll without end.
constexpr std::size_t log_limit = 10'000;

std::string text_of(const std::string& place, const Access& access, unsigned level) {
  constexpr unsigned bits_per_byte = 8;
  return fmt::format("mmio {}: {} {:#x}, {} bits, EL{}", place,
                     access.kind == AccessKind::read ? "read" : "write", access.value,
                     access.size * bits_per_byte, level);
}

}  // namespace

ScriptedWorld::ScriptedWorld(WorldScript script, Listeners listeners)
    : listeners_(std::move(listeners)),
      secure_(
          std::move(script.secure_calls), [this](const std::string& text) { log("el3 " + text); },
          listeners_.memory) {
  if (script.ffa) secure_.speak_ffa(*std::move(script.ffa));
  if (script.logs_secure_calls) secure_.log_everything();
  for (RegionScript& region : script.regions)
    devices_.push_back(std::make_unique<ScriptedDevice>(
        std::move(region),
        ScriptedDevice::Listeners{.answer = listeners_.answer,
                                  .logged = [this](const std::string& place, const Access& access) {
                                    log(text_of(place, access,
                                                listeners_.level ? listeners_.level() : 0));
                                  }}));
}

void ScriptedWorld::attach_to(Bus& bus) {
  for (const auto& device : devices_)
    bus.attach(device->script().base, device->script().size, *device, "scripted device");
}

void ScriptedWorld::log(std::string line) {
  if (listeners_.line) listeners_.line(line);
  if (log_.size() < log_limit)
    log_.push_back(std::move(line));
  else
    ++dropped_;
}

WorldUse ScriptedWorld::use() const {
  WorldUse use;
  use.secure_calls = secure_.use();
  use.log = log_;
  use.log_dropped = dropped_;
  for (const auto& device : devices_)
    use.regions.push_back(device->use());
  return use;
}

ScriptedWorld::State ScriptedWorld::save() const {
  State state;
  state.secure = secure_.save();
  state.log = log_;
  state.dropped = dropped_;
  for (const auto& device : devices_)
    state.devices.push_back(device->save());
  return state;
}

void ScriptedWorld::restore(const State& state) {
  for (std::size_t i = 0; i < devices_.size(); ++i)
    devices_[i]->restore(state.devices[i]);
  secure_.restore(state.secure);
  log_ = state.log;
  dropped_ = state.dropped;
}

}  // namespace pkvmemu::device
