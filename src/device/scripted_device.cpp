// SPDX-License-Identifier: GPL-2.0-only
#include "device/scripted_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "support/bits.h"

namespace pkvmemu::device {
namespace {

constexpr unsigned bits_per_byte = 8;
/// Offsets without a register that are told of one by one.
constexpr std::size_t most_others = 256;

constexpr std::uint64_t byte_mask(unsigned bytes) {
  return low_mask(bytes * bits_per_byte);
}

/// Where an access and a register meet.
struct Lanes {
  unsigned in_access = 0;    ///< first byte of it within the access
  unsigned in_register = 0;  ///< and within the register
  unsigned bytes = 0;
  [[nodiscard]] std::uint64_t mask() const {
    return byte_mask(bytes) << (in_register * bits_per_byte);
  }
  /// The register's bits of what the access carries.
  [[nodiscard]] std::uint64_t of_access(std::uint64_t value) const {
    return ((value >> (in_access * bits_per_byte)) & byte_mask(bytes))
           << (in_register * bits_per_byte);
  }
  /// What the access sees of the register.
  [[nodiscard]] std::uint64_t of_register(std::uint64_t value) const {
    return ((value >> (in_register * bits_per_byte)) & byte_mask(bytes))
           << (in_access * bits_per_byte);
  }
};

Lanes lanes_of(const RegisterScript& reg, std::uint64_t offset, unsigned size) {
  const std::uint64_t start = std::max(offset, reg.offset);
  const std::uint64_t end = std::min(offset + size, reg.offset + reg.size);
  return {.in_access = static_cast<unsigned>(start - offset),
          .in_register = static_cast<unsigned>(start - reg.offset),
          .bytes = static_cast<unsigned>(end - start)};
}

std::uint64_t byte_at(std::uint64_t value, unsigned index) {
  constexpr std::uint64_t one_byte = 0xff;
  return (value >> (index * bits_per_byte)) & one_byte;
}

}  // namespace

ScriptedDevice::ScriptedDevice(RegionScript script, Listeners listeners)
    : script_(std::move(script)), listeners_(std::move(listeners)) {
  state_.registers.reserve(script_.registers.size());
  for (const RegisterScript& reg : script_.registers)
    state_.registers.push_back({.stored = reg.reset});
  state_.counts.resize(script_.registers.size());
}

std::optional<std::size_t> ScriptedDevice::register_at(std::uint64_t offset) const {
  const auto found = std::ranges::find_if(
      script_.registers, [offset](const RegisterScript& reg) { return reg.contains(offset); });
  if (found == script_.registers.end()) return std::nullopt;
  return static_cast<std::size_t>(found - script_.registers.begin());
}

std::uint64_t ScriptedDevice::next_item(std::size_t index) {
  const RegisterScript& reg = script_.registers[index];
  RegisterState& state = state_.registers[index];
  if (state.step == reg.reads.size()) {
    if (reg.then == AfterLast::repeat) state.step = 0;
    if (reg.then == AfterLast::stored) return *(state.shown = state.stored);
    if (reg.then == AfterLast::last) return *(state.shown = reg.reads.back().value);
  }
  const ReadStep& step = reg.reads[state.step];
  if (++state.taken == step.times) {
    ++state.step;
    state.taken = 0;
  }
  return *(state.shown = step.value);
}

std::uint64_t ScriptedDevice::shown(std::size_t index) const {
  const RegisterScript& reg = script_.registers[index];
  const RegisterState& state = state_.registers[index];
  if (reg.reads.empty()) return state.stored;
  return state.shown.value_or(reg.reads.front().value);
}

std::uint64_t ScriptedDevice::part_read(std::size_t index, std::uint64_t offset, unsigned size) {
  const RegisterScript& reg = script_.registers[index];
  if (reg.reads_zero) return 0;
  const Lanes lanes = lanes_of(reg, offset, size);
  const bool takes = lanes.in_register == 0 && !reg.reads.empty();
  return lanes.of_register(takes ? next_item(index) : shown(index));
}

void ScriptedDevice::write_part(std::size_t index, std::uint64_t offset, unsigned size,
                                std::uint64_t value) {
  const RegisterScript& reg = script_.registers[index];
  RegisterState& state = state_.registers[index];
  const Lanes lanes = lanes_of(reg, offset, size);
  const std::uint64_t given = lanes.of_access(value);
  const std::uint64_t whole = (state.stored & ~lanes.mask()) | given;
  const std::uint64_t changed = reg.writable & ~reg.clears & lanes.mask();
  state.stored = ((state.stored & ~changed) | (given & changed)) & ~(given & reg.clears);
  for (const WriteEffect& effect : reg.effects)
    if (effect.when == 0 || (given & effect.when) != 0) apply(effect, whole);
}

void ScriptedDevice::apply(const WriteEffect& effect, std::uint64_t written) {
  RegisterState& target = state_.registers[effect.target];
  if (effect.stores)
    target.stored =
        effect.value.value_or(written) & byte_mask(script_.registers[effect.target].size);
  if (!effect.restarts) return;
  target.step = 0;
  target.taken = 0;
  target.shown.reset();
}

std::byte ScriptedDevice::rest_byte(std::uint64_t offset) const {
  const auto page = state_.pages.find(offset / page_size);
  return page == state_.pages.end() ? std::byte{0} : (*page->second)[offset % page_size];
}

void ScriptedDevice::keep_rest_byte(std::uint64_t offset, std::byte value) {
  std::shared_ptr<Page>& page = state_.pages[offset / page_size];
  if (!page)
    page = std::make_shared<Page>();
  else if (page.use_count() > 1)
    page = std::make_shared<Page>(*page);
  (*page)[offset % page_size] = value;
}

// NOLINTNEXTLINE(bugprone-exception-escape): no memory left for the log ends the process
std::uint64_t ScriptedDevice::read(std::uint64_t offset, unsigned size) noexcept {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < size;) {
    const auto index = register_at(offset + i);
    if (!index) {
      value |= static_cast<std::uint64_t>(rest_byte(offset + i)) << (i * bits_per_byte);
      ++i;
      continue;
    }
    value |= part_read(*index, offset, size);
    i += lanes_of(script_.registers[*index], offset + i, size - i).bytes;
  }
  const Pa address = script_.base + offset;
  if (listeners_.answer) value = listeners_.answer(address, value);
  note({.kind = AccessKind::read, .address = address, .size = size, .value = value});
  return value;
}

// NOLINTNEXTLINE(bugprone-exception-escape): likewise
void ScriptedDevice::write(std::uint64_t offset, unsigned size, std::uint64_t value) noexcept {
  for (unsigned i = 0; i < size;) {
    const auto index = register_at(offset + i);
    if (!index) {
      if (script_.rest == Rest::ram)
        keep_rest_byte(offset + i, static_cast<std::byte>(byte_at(value, i)));
      ++i;
      continue;
    }
    write_part(*index, offset, size, value);
    i += lanes_of(script_.registers[*index], offset + i, size - i).bytes;
  }
  note({.kind = AccessKind::write,
        .address = script_.base + offset,
        .size = size,
        .value = value & byte_mask(size)});
}

void ScriptedDevice::count(Count& counted, const Access& access) {
  if (access.kind == AccessKind::read) {
    ++counted.reads;
    counted.last_read = access.value;
  } else {
    ++counted.writes;
    counted.last_written = access.value;
  }
}

/// An access of several registers is told of the first one's place.
void ScriptedDevice::note(const Access& access) {
  const std::uint64_t offset = access.address - script_.base;
  const auto index = register_at(offset);
  count(state_.all, access);
  if (index)
    count(state_.counts[*index], access);
  else if (state_.others.size() < most_others || state_.others.contains(offset))
    count(state_.others[offset], access);
  const bool logged = script_.logged || (index && script_.registers[*index].logged);
  if (!logged || !listeners_.logged) return;
  std::string place = fmt::format("{:#x}+{:#x}", script_.base.value, offset);
  if (index && !script_.registers[*index].name.empty())
    place += " " + script_.registers[*index].name;
  listeners_.logged(place, access);
}

RegionUse ScriptedDevice::use() const {
  RegionUse use{.name = script_.name,
                .base = script_.base,
                .size = script_.size,
                .reads = state_.all.reads,
                .writes = state_.all.writes};
  const auto add = [&use](std::string name, std::uint64_t offset, bool scripted,
                          const Count& counted) {
    use.registers.push_back({.name = std::move(name),
                             .offset = offset,
                             .is_scripted = scripted,
                             .reads = counted.reads,
                             .writes = counted.writes,
                             .last_read = counted.last_read,
                             .last_written = counted.last_written});
  };
  for (std::size_t i = 0; i < script_.registers.size(); ++i)
    add(script_.registers[i].name, script_.registers[i].offset, true, state_.counts[i]);
  for (const auto& [offset, counted] : state_.others)
    add("", offset, false, counted);
  std::ranges::sort(use.registers, {}, &RegisterUse::offset);
  return use;
}

}  // namespace pkvmemu::device
