// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/frame_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "mmu/regime.h"
#include "pkvm/platform.h"
#include "support/bits.h"

namespace pkvmemu::campaign {
namespace {

constexpr unsigned bits_per_level = 9;
constexpr unsigned last_level = 3;
constexpr std::size_t table_entries = 512;

/// Arm ARM D8.3: descriptors with a granule of 4 KiB.
namespace descriptor {
constexpr std::uint64_t valid = bit(0);
constexpr std::uint64_t table = bit(1);  ///< or a page, at the last level
constexpr std::uint64_t address = low_mask(48) & ~low_mask(12);
constexpr std::uint64_t stage2_read = bit(6);
constexpr std::uint64_t stage1_read_only = bit(7);
constexpr std::uint64_t stage1_never_execute = bit(54);
}  // namespace descriptor

/// What the walks depend on.
struct Registers {
  std::uint64_t sctlr = 0;
  std::uint64_t tcr = 0;
  std::uint64_t ttbr0 = 0;
  std::uint64_t hcr = 0;
  std::uint64_t vtcr = 0;
  std::uint64_t vttbr = 0;
};

struct RegisterRow {
  std::string_view name;
  std::uint64_t Registers::* field;
};
constexpr std::array register_rows{
    RegisterRow{"sctlr_el2", &Registers::sctlr}, RegisterRow{"tcr_el2", &Registers::tcr},
    RegisterRow{"ttbr0_el2", &Registers::ttbr0}, RegisterRow{"hcr_el2", &Registers::hcr},
    RegisterRow{"vtcr_el2", &Registers::vtcr},   RegisterRow{"vttbr_el2", &Registers::vttbr},
};

Registers registers_of(const machine::Machine& machine) {
  Registers found;
  for (const cpu::NamedRegister& one : machine.registers())
    for (const RegisterRow& row : register_rows)
      if (one.name == row.name) found.*row.field = one.value;
  return found;
}

/// One entry that is no table: what it maps, or that it maps nothing.
struct Leaf {
  std::uint64_t input = 0;
  std::uint64_t size = 0;
  std::uint64_t entry = 0;
};

/// Visits all leaves, empty ones too, whose tables lie in RAM. Tables are the guest's: one that
/// names itself ends with the levels.
template <typename Visit>
void each_leaf(const machine::Machine& machine, std::uint64_t table, unsigned level,
               std::size_t entries, std::uint64_t input, const Visit& visit) {
  const auto bytes = machine.memory(Pa{table}, entries * sizeof(std::uint64_t));
  if (!bytes) return;
  const std::uint64_t size = std::uint64_t{1}
                             << (page_shift + (bits_per_level * (last_level - level)));
  for (std::size_t i = 0; i < entries; ++i) {
    std::uint64_t entry = 0;
    std::memcpy(&entry, bytes->subspan(i * sizeof(entry)).data(), sizeof(entry));
    const std::uint64_t at = input + (i * size);
    const bool is_table = (entry & (descriptor::valid | descriptor::table)) ==
                              (descriptor::valid | descriptor::table) &&
                          level != last_level;
    if (is_table)
      each_leaf(machine, entry & descriptor::address, level + 1, table_entries, at, visit);
    else
      visit(Leaf{.input = at, .size = size, .entry = entry});
  }
}

/// The frames of [address, address + size) that are RAM, as indexes.
struct FrameRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

FrameRange frames_in(std::uint64_t address, std::uint64_t size, std::size_t frames) {
  constexpr std::uint64_t base = pkvm::platform::ram_base;
  const std::uint64_t end = address + size;
  if (end <= base) return {};
  const std::uint64_t from = std::max<std::uint64_t>(address, base) - base;
  return {.begin = std::min<std::size_t>(from >> page_shift, frames),
          .end = std::min<std::size_t>((end - base) >> page_shift, frames)};
}

}  // namespace

FrameMap::FrameMap(const machine::Machine& machine, std::uint64_t ram_size)
    : reach_(ram_size >> page_shift) {
  const auto mark = [&](std::uint64_t address, std::uint64_t size, Reach who) {
    const FrameRange range = frames_in(address, size, reach_.size());
    for (std::size_t i = range.begin; i < range.end; ++i)
      reach_[i] = static_cast<std::uint8_t>(reach_[i] | who);
  };

  const Registers registers = registers_of(machine);
  // Arm ARM D8.2: TCR_EL2.T0SZ and its start level, 4 KiB granule.
  const auto input_bits = static_cast<unsigned>(64 - bits(registers.tcr, 5, 0));
  if ((registers.sctlr & mmu::sctlr::m) != 0 && input_bits > page_shift) {
    const unsigned levels = (input_bits - page_shift + bits_per_level - 1) / bits_per_level;
    const unsigned level = last_level + 1 - std::min(levels, last_level + 1);
    const unsigned top_bits = input_bits - page_shift - (bits_per_level * (last_level - level));
    each_leaf(
        machine, registers.ttbr0 & descriptor::address, level,
        std::size_t{1} << std::min(top_bits, bits_per_level), 0, [&](const Leaf& leaf) {
          if ((leaf.entry & descriptor::valid) == 0) return;
          const std::uint64_t output = leaf.entry & descriptor::address & ~(leaf.size - 1);
          mark(output, leaf.size, hyp);
          if ((leaf.entry & (descriptor::stage1_read_only | descriptor::stage1_never_execute)) == 0)
            writable_code_ += leaf.size >> page_shift;
        });
  }

  if ((registers.hcr & mmu::hcr::vm) == 0) return;
  has_host_ = true;
  const auto ipa_bits = static_cast<unsigned>(64 - bits(registers.vtcr, 5, 0));
  // Arm ARM D8.2.4: VTCR_EL2.SL0 with 4 KiB pages; the first table may be several in a row.
  const auto level =
      static_cast<unsigned>(2 - std::min<std::uint64_t>(bits(registers.vtcr, 7, 6), 2));
  const unsigned below = page_shift + (bits_per_level * (last_level - level));
  const unsigned top_bits = ipa_bits > below ? ipa_bits - below : 0;
  constexpr unsigned concatenated = 4;
  each_leaf(machine, registers.vttbr & descriptor::address, level,
            std::size_t{1} << std::min(top_bits, bits_per_level + concatenated), 0,
            [&](const Leaf& leaf) {
              const bool mapped = (leaf.entry & descriptor::valid) != 0;
              const bool reachable =
                  mapped ? (leaf.entry & descriptor::stage2_read) != 0 : leaf.entry == 0;
              if (reachable) mark(leaf.input, leaf.size, host);
            });
}

FrameMap::FrameMap(std::size_t frames, const Frames& hosts, const Frames& hyps,
                   std::size_t writable_code)
    : reach_(frames), writable_code_(writable_code), has_host_(true) {
  for (const std::uint32_t frame : hosts)
    reach_.at(frame) |= host;
  for (const std::uint32_t frame : hyps)
    reach_.at(frame) |= hyp;
}

std::size_t FrameMap::hyp_count() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(reach_, [](std::uint8_t reach) { return (reach & hyp) != 0; }));
}

Frames FrameMap::with(std::uint8_t reach) const {
  Frames frames;
  const auto take = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i)
      if (reach_[i] == reach) frames.push_back(static_cast<std::uint32_t>(i));
  };
  // Nearly all frames are the host's alone: those are passed over many at once.
  constexpr std::size_t chunk = 512;
  constexpr auto hosts = [] {
    std::array<std::uint8_t, chunk> all{};
    all.fill(host);
    return all;
  }();
  std::size_t at = 0;
  for (; at + chunk <= reach_.size(); at += chunk)
    if (reach == host || std::memcmp(&reach_[at], hosts.data(), chunk) != 0) take(at, at + chunk);
  take(at, reach_.size());
  return frames;
}

Frames FrameMap::both() const {
  return with(host | hyp);
}
Frames FrameMap::neither() const {
  return with(0);
}

std::string to_text(const Frames& frames) {
  constexpr std::size_t shown = 4;
  constexpr std::uint64_t first = pkvm::platform::ram_base >> page_shift;
  std::string text;
  std::size_t ranges = 0;
  std::size_t told = 0;
  for (std::size_t i = 0; i < frames.size() && ranges < shown; ++ranges) {
    std::size_t end = i + 1;
    while (end < frames.size() && frames[end] == frames[end - 1] + 1)
      ++end;
    if (!text.empty()) text += ", ";
    text += fmt::format("{:#x}", frames[i] + first);
    if (end - i > 1) text += fmt::format(" to {:#x}", frames[end - 1] + first);
    told += end - i;
    i = end;
  }
  if (told < frames.size()) text += fmt::format(" and {} more", frames.size() - told);
  return text;
}

}  // namespace pkvmemu::campaign
