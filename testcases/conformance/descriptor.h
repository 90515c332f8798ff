// SPDX-License-Identifier: GPL-2.0-only
// struct pkvm_el2_module as the modules `descriptor` and `descriptor_events` print it.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

#include "every_generation.h"

namespace pkvmemu::test {

inline constexpr int absent = -1;

/// Table 2.4: the fields' offsets.
struct Field {
  std::string_view name;
  std::array<int, pkvm::generation_count> offset;
};
inline constexpr std::array fields = {
    Field{"text", {0, 0, 0}},
    Field{"bss", {16, 16, 16}},
    Field{"rodata", {32, 32, 32}},
    Field{"data", {48, 48, 48}},
    Field{"event_ids", {absent, 64, 64}},
    Field{"patchable", {absent, absent, 80}},
    Field{"sections", {absent, 80, 96}},
    Field{"hyp_va", {absent, absent, 112}},
    Field{"hyp_events", {absent, 96, 120}},
    Field{"hyp_printk_fmts", {absent, absent, 128}},
    Field{"nr_hyp_events", {absent, 104, 136}},
    Field{"nr_hyp_printk_fmts", {absent, absent, 140}},
    Field{"relocs", {64, 112, 144}},
    Field{"token", {absent, 136, absent}},
    Field{"nr_relocs", {72, 144, 184}},
    Field{"init", {80, 152, 192}},
};

/// The struct as the module printed it at one moment.
class Descriptor {
 public:
  Descriptor(const EmulatorRun& run, pkvm::Generation generation, std::string_view when)
      : generation_(generation) {
    const std::string key = fmt::format("descriptor {} ", when);
    for (const std::string& line : run.console) {
      if (!line.starts_with(key)) continue;
      std::istringstream text(line.substr(key.size()));
      int offset = 0;
      std::uint64_t word = 0;
      text >> std::dec >> offset >> std::hex >> word;
      words_[offset] = word;
    }
  }
  [[nodiscard]] bool has(std::string_view name) const { return offset_of(name) != absent; }
  [[nodiscard]] std::uint64_t at(std::string_view name, int behind = 0) const {
    return words_.at(offset_of(name) + behind);
  }
  /// A u32 field.
  [[nodiscard]] std::uint64_t half(std::string_view name) const {
    const int offset = offset_of(name);
    const std::uint64_t word = words_.at(offset & ~7);
    return (offset & 4) != 0 ? word >> 32U : word & 0xffff'ffffU;
  }
  [[nodiscard]] std::uint64_t end(std::string_view name) const { return at(name, 8); }
  [[nodiscard]] std::size_t size() const { return words_.size() * 8; }
  [[nodiscard]] const std::map<int, std::uint64_t>& words() const { return words_; }

 private:
  [[nodiscard]] int offset_of(std::string_view name) const {
    const auto* const field = std::ranges::find(fields, name, &Field::name);
    return field->offset.at(static_cast<std::size_t>(generation_));
  }
  pkvm::Generation generation_;
  std::map<int, std::uint64_t> words_;
};

}  // namespace pkvmemu::test
