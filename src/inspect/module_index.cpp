// SPDX-License-Identifier: GPL-2.0-only
#include "inspect/module_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "image/stream.h"
#include "inspect/tables.h"

namespace pkvmemu::inspect {

ModuleIndex::ModuleIndex(const image::KoFile& file) : file_(&file) {
  const image::ElfFile& elf = file.elf();
  for (std::uint32_t i = 0; i < elf.section_count(); ++i)
    sections_.push_back(elf.section(i).value_or(image::Section{}));
  for (std::uint32_t i = 0; i < elf.symbol_count(); ++i)
    symbols_.push_back(elf.symbol(i).value_or(image::Symbol{}));
  for (const image::Section& section : sections_)
    if (section.header.type == image::elf::section_rela && section.header.info != 0)
      read_relocations(section);
  std::ranges::sort(relocations_, {}, [](const Relocation& own) {
    return std::tie(own.place, own.type, own.symbol, own.addend);
  });
  read_functions();
}

void ModuleIndex::read_relocations(const image::Section& table) {
  for (std::uint32_t i = 0; i < image::ElfFile::rela_count(table); ++i) {
    const auto entry = image::ElfFile::rela(table, i);
    if (!entry) return;
    relocations_.push_back({.place = {.section = table.header.info, .offset = entry->offset},
                            .type = entry->type(),
                            .symbol = entry->symbol(),
                            .addend = entry->addend});
  }
}

void ModuleIndex::read_functions() {
  for (const image::Symbol& symbol : symbols_) {
    if (symbol.type() != image::elf::symbol_function || !symbol.in_section()) continue;
    functions_.push_back({.place = {.section = symbol.entry.section, .offset = symbol.entry.value},
                          .size = symbol.entry.size,
                          .name = symbol.name});
  }
  std::ranges::sort(functions_, {},
                    [](const Function& own) { return std::tie(own.place, own.name); });
}

std::span<const Relocation> ModuleIndex::relocations_of(std::uint32_t section) const {
  const auto first =
      std::ranges::lower_bound(relocations_, Place{section, 0}, {}, &Relocation::place);
  const auto last =
      std::ranges::lower_bound(relocations_, Place{section + 1, 0}, {}, &Relocation::place);
  return {first, last};
}

const Relocation* ModuleIndex::relocation_at(Place place) const {
  const auto found = std::ranges::lower_bound(relocations_, place, {}, &Relocation::place);
  return found != relocations_.end() && found->place == place ? &*found : nullptr;
}

std::optional<Place> ModuleIndex::target_of(const Relocation& relocation) const {
  if (relocation.symbol >= symbols_.size()) return std::nullopt;
  const image::Symbol& symbol = symbols_[relocation.symbol];
  if (!symbol.in_section()) return std::nullopt;
  return Place{.section = symbol.entry.section,
               .offset = symbol.entry.value + static_cast<std::uint64_t>(relocation.addend)};
}

std::string_view ModuleIndex::symbol_name(std::uint32_t symbol) const {
  if (symbol >= symbols_.size()) return {};
  const image::Symbol& own = symbols_[symbol];
  if (!own.name.empty() || !own.in_section()) return own.name;
  return sections_[own.entry.section].name;
}

std::optional<std::uint32_t> ModuleIndex::word_at(Place place) const {
  if (place.section >= sections_.size()) return std::nullopt;
  const auto word = image::Stream(sections_[place.section].content).le<std::uint32_t>(place.offset);
  return word ? std::optional(*word) : std::nullopt;
}

const Function* ModuleIndex::function_at(Place place) const {
  const auto found = std::ranges::lower_bound(functions_, place, {}, &Function::place);
  return found != functions_.end() && found->place == place ? &*found : nullptr;
}

const Function* ModuleIndex::function_around(Place place) const {
  auto after = std::ranges::upper_bound(functions_, place, {}, &Function::place);
  if (after == functions_.begin()) return nullptr;
  const Function& before = *--after;
  if (before.place.section != place.section) return nullptr;
  const std::uint64_t distance = place.offset - before.place.offset;
  return before.size == 0 || distance < before.size ? &before : nullptr;
}

std::string ModuleIndex::describe(Place place) const {
  const Function* function = function_around(place);
  const std::uint64_t offset =
      function == nullptr ? place.offset : place.offset - function->place.offset;
  const std::string_view name = function_name(place);
  return offset == 0 ? std::string(name) : fmt::format("{}+{:#x}", name, offset);
}

std::string_view ModuleIndex::function_name(Place place) const {
  const Function* function = function_around(place);
  if (function != nullptr && !function->name.empty())
    return image::without_hyp_prefix(function->name);
  return place.section < sections_.size() ? sections_[place.section].name : std::string_view{};
}

bool ModuleIndex::is_hyp(std::uint32_t section) const {
  return section < sections_.size() && find_hyp_section(sections_[section].name) != nullptr;
}

bool ModuleIndex::is_code(std::uint32_t section) const {
  if (section >= sections_.size()) return false;
  const image::Section& own = sections_[section];
  return own.allocated() && (own.header.flags & image::elf::flag_exec) != 0 && !own.content.empty();
}

}  // namespace pkvmemu::inspect
