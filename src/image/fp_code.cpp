// SPDX-License-Identifier: GPL-2.0-only
#include "image/fp_code.h"

#include <cstring>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include "pkvm/kcfi_types.h"

namespace pkvmemu::image {
namespace {

constexpr std::string_view hyp_text = ".hyp.text";
constexpr std::string_view section_mark = "__hyp_section_";

/// What stands at places in the code, by their symbols.
struct Marks {
  std::map<std::uint64_t, std::string_view> functions;
  std::map<std::uint64_t, bool> is_data;  ///< from here on: $d, $x
};

Marks marks_of(const ElfFile& elf, std::uint32_t section) {
  Marks marks;
  for (std::uint32_t i = 0; i < elf.symbol_count(); ++i) {
    const auto symbol = elf.symbol(i);
    if (!symbol || symbol->entry.section != section) continue;
    const std::string_view name = without_hyp_prefix(symbol->name);
    if (name.starts_with("$d") || name.starts_with("$x"))
      marks.is_data[symbol->entry.value] = name[1] == 'd';
    else if (!name.empty() && !name.starts_with(section_mark))
      marks.functions[symbol->entry.value] = name;
  }
  return marks;
}

bool lies_in_data(const Marks& marks, std::uint64_t offset) {
  const auto after = marks.is_data.upper_bound(offset);
  return after != marks.is_data.begin() && std::prev(after)->second;
}

/// What does not go on to the next instruction: RET and BR of every kind, B, BRK, UDF and padding.
bool ends_code(std::uint32_t word) {
  constexpr std::uint32_t nop = 0xd503'201f;
  const bool branch_to_register = (word & 0xfe00'0000) == 0xd600'0000;
  const bool branch = (word & 0xfc00'0000) == 0x1400'0000;
  const bool breakpoint = (word & 0xffe0'001f) == 0xd420'0000;
  return word == 0 || word == nop || branch_to_register || branch || breakpoint;
}

std::string place_text(const Marks& marks, std::uint64_t offset) {
  const auto after = marks.functions.upper_bound(offset);
  const auto hex = [](std::uint64_t value) {
    std::string text;
    do
      text.insert(text.begin(), "0123456789abcdef"[value & 0xF]);
    while ((value >>= 4) != 0);
    return "+0x" + text;
  };
  if (after == marks.functions.begin()) return std::string(hyp_text) + hex(offset);
  const auto& [start, name] = *std::prev(after);
  return std::string(name) + hex(offset - start);
}

}  // namespace

std::optional<FpCode> find_fp_code(const KoFile& ko) {
  const auto text = ko.elf().find_section(hyp_text);
  if (!text) return std::nullopt;
  std::optional<FpCode> found;
  std::optional<Marks> marks;
  std::uint32_t before = 0;
  for (std::uint64_t at = 0; at + sizeof(before) <= text->content.size(); at += sizeof(before)) {
    std::uint32_t word = 0;
    std::memcpy(&word, text->content.data() + at, sizeof(word));
    const std::uint32_t last = std::exchange(before, word);
    // The word of a type may look like anything.
    if (!is_fp_instruction(word) || ends_code(last) || pkvm::kcfi::find_type(word) != nullptr)
      continue;
    if (!marks) marks = marks_of(ko.elf(), text->index);
    if (lies_in_data(*marks, at)) continue;
    if (!found) found = FpCode{.where = place_text(*marks, at)};
    ++found->count;
  }
  return found;
}

}  // namespace pkvmemu::image
