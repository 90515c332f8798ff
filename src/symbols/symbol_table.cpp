// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/symbol_table.h"

#include <cxxabi.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <utility>

#include "support/number.h"

namespace pkvmemu::symbols {
namespace {

constexpr unsigned symbol_object = 1;  // STT_OBJECT
constexpr std::string_view hyp_section_prefix = ".hyp.";

/// Marks of the module linker script, which stand where functions begin.
constexpr std::string_view section_mark = "__hyp_section_";

bool is_named(const image::Symbol& symbol) {
  const std::string_view name = image::without_hyp_prefix(symbol.name);
  if (name.starts_with(section_mark) || name.starts_with("$d") || name.starts_with("$x"))
    return false;
  return symbol.in_section() && !symbol.name.empty() && !symbol.is_mapping() &&
         (symbol.type() == image::elf::symbol_function || symbol.type() == symbol_object ||
          symbol.type() == image::elf::symbol_notype);
}

void erase_all(std::string& text, std::string_view what) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at))
    text.erase(at, what.size());
}

/// "a::b(int)::(lambda)" -> "a::b"; templates keep their arguments.
void drop_parameters(std::string& text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '<') ++depth;
    if (text[i] == '>') --depth;
    if (text[i] != '(' || depth != 0) continue;
    text.resize(i);
    return;
  }
}

std::string readable(const std::string& linker_name) {
  if (!linker_name.starts_with("_Z")) return linker_name;
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(linker_name.c_str(), nullptr, nullptr, &status), &std::free);
  if (status != 0 || text == nullptr) return linker_name;
  std::string name(text.get());
  erase_all(name, "(anonymous namespace)::");
  erase_all(name, "pkvmemu::");
  drop_parameters(name);
  return name;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    if (end != 0) words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

/// The whole name, or its last scopes.
bool is_called(std::string_view name, std::string_view wanted) {
  if (!name.ends_with(wanted)) return false;
  name.remove_suffix(wanted.size());
  return name.empty() || name.ends_with("::");
}

}  // namespace

struct SymbolTable::Wanted {
  std::optional<unsigned> el;
  std::string_view image;
  std::string_view name;
  std::uint64_t offset = 0;
};

void SymbolTable::add_module(std::string_view name, const image::KoFile& ko) {
  const image::ElfFile& elf = ko.elf();
  const auto part_of = [&](const image::Section& section) {
    return Part{.image = std::string(name),
                .el = section.name.starts_with(hyp_section_prefix) ? 2U : 1U,
                .section = section.index};
  };
  for (std::uint32_t i = 1; i < elf.section_count(); ++i)
    if (const auto section = elf.section(i);
        section && (section->header.flags & image::elf::flag_alloc) != 0) {
      Content& content = parts_[part_of(*section)];
      content.size = section->header.size;
      content.section = section->name;
    }
  for (std::uint32_t i = 0; i < elf.symbol_count(); ++i) {
    const auto symbol = elf.symbol(i);
    if (!symbol || !is_named(*symbol)) continue;
    const auto section = elf.section(symbol->entry.section);
    if (!section) continue;
    const auto part = parts_.find(part_of(*section));
    if (part == parts_.end()) continue;
    part->second.symbols.emplace(symbol->entry.value,
                                 Entry{.name = std::string(image::without_hyp_prefix(symbol->name)),
                                       .size = symbol->entry.size});
  }
}

Result<void> SymbolTable::add_firmware(std::string_view image, unsigned el,
                                       std::string_view lines) {
  Content& content = parts_[{.image = std::string(image), .el = el}];
  for (unsigned number = 1; !lines.empty(); ++number) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const auto words = words_of(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (words.empty()) continue;
    const auto offset = words.size() >= 3 ? hexadecimal_in(words[0]) : std::nullopt;
    if (!offset) return fail("line {}: expected 'ADDRESS [SIZE] TYPE NAME', as nm -S", number);
    const std::uint64_t size =
        words.size() >= 4 ? hexadecimal_in(words[1]).value_or(0) : std::uint64_t{0};
    content.size = std::max(content.size, *offset + std::max<std::uint64_t>(size, 1));
    content.symbols.emplace(*offset,
                            Entry{.name = readable(std::string(words.back())), .size = size});
  }
  return {};
}

Result<SymbolTable::Wanted> SymbolTable::understand(std::string_view text) {
  Wanted wanted;
  std::string_view rest = text;
  for (const unsigned el : {1U, 2U})
    if (const auto prefix = fmt::format("el{}:", el); rest.starts_with(prefix)) {
      wanted.el = el;
      rest.remove_prefix(prefix.size());
    }
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    wanted.image = rest.substr(0, slash);
    rest.remove_prefix(slash + 1);
  }
  if (const std::size_t plus = rest.rfind('+'); plus != std::string_view::npos) {
    const auto offset = number_in(rest.substr(plus + 1));
    if (!offset) return fail("'{}': expected a number of bytes behind the '+'", text);
    wanted.offset = *offset;
    rest = rest.substr(0, plus);
  }
  wanted.name = image::without_hyp_prefix(rest);
  return wanted;
}

std::vector<Symbol> SymbolTable::matches(const Wanted& wanted) const {
  std::vector<Symbol> found;
  for (const auto& [part, content] : parts_) {
    if (!wanted.image.empty() && part.image != wanted.image) continue;
    if (wanted.el && part.el != *wanted.el) continue;
    for (const auto& [offset, entry] : content.symbols)
      if (is_called(entry.name, wanted.name))
        found.push_back({.name = entry.name,
                         .spot = {.part = part, .offset = offset + wanted.offset},
                         .size = entry.size});
  }
  return found;
}

Result<Symbol> SymbolTable::find(std::string_view text) const {
  auto wanted = understand(text);
  if (!wanted) return std::unexpected(wanted.error());
  std::vector<Symbol> found = matches(*wanted);
  if (found.empty()) return fail("no symbol '{}' in the modules and the firmware", text);
  const bool same = std::ranges::all_of(
      found, [&](const Symbol& other) { return other.spot == found.front().spot; });
  if (same) return std::move(found.front());
  std::vector<std::string> names;
  for (const Symbol& symbol : found)
    names.push_back(
        fmt::format("el{}:{}/{}", symbol.spot.part.el, symbol.spot.part.image, symbol.name));
  constexpr std::size_t shown = 8;
  names.resize(std::min(names.size(), shown));
  return fail("'{}' is the name of {} symbols: {}", text, found.size(), fmt::join(names, ", "));
}

bool SymbolTable::contains(const Spot& spot) const {
  const auto part = parts_.find(spot.part);
  return part != parts_.end() && spot.offset < part->second.size;
}

std::string SymbolTable::section_of(const Part& part) const {
  const auto found = parts_.find(part);
  return found == parts_.end() ? std::string() : found->second.section;
}

std::string SymbolTable::name_of(const Spot& spot) const {
  if (!contains(spot)) return {};
  const Content& content = parts_.at(spot.part);
  const auto after = content.symbols.upper_bound(spot.offset);
  if (after == content.symbols.begin())
    return fmt::format("[{}]+{:#x}", spot.part.image, spot.offset);
  const auto& [offset, last] = *std::prev(after);
  // Of several names one that says how long it is: the others are marks.
  const auto [first, end] = content.symbols.equal_range(offset);
  const auto sized = std::find_if(first, end, [](const auto& one) { return one.second.size != 0; });
  const Entry& entry = sized == end ? last : sized->second;
  const std::uint64_t into = spot.offset - offset;
  return into == 0 ? fmt::format("{} [{}]", entry.name, spot.part.image)
                   : fmt::format("{}+{:#x} [{}]", entry.name, into, spot.part.image);
}

}  // namespace pkvmemu::symbols
