// SPDX-License-Identifier: GPL-2.0-only
#include "build/object_file.h"

#include <algorithm>
#include <array>
#include <utility>

#include "image/elf.h"

namespace pkvmemu::build {
namespace {

std::unexpected<Error> unreadable(const std::string& name, const image::Error& error) {
  std::array<char, 256> buffer{};
  return fail("{}: not a readable AArch64 object: {}", name, image::describe(error, buffer));
}

Section section_of(const image::Section& section) {
  return {.name = section.name,
          .type = section.header.type,
          .flags = section.header.flags,
          .size = section.header.size,
          .alignment = section.header.alignment,
          .info = section.header.info,
          .data = section.content};
}

Symbol symbol_of(const image::Symbol& symbol) {
  return {.name = symbol.name,
          .value = symbol.entry.value,
          .section = symbol.entry.section,
          .binding = static_cast<std::uint8_t>(symbol.binding()),
          .type = static_cast<std::uint8_t>(symbol.type())};
}

}  // namespace

Result<ObjectFile> ObjectFile::parse(std::string name, Bytes image) {
  ObjectFile object(std::move(name), std::move(image));
  const auto elf = image::ElfFile::open(object.image_);
  if (!elf) return unreadable(object.name_, elf.error());
  for (std::uint32_t i = 0; i < elf->section_count(); ++i) {
    const auto section = elf->section(i);
    if (!section) return unreadable(object.name_, section.error());
    object.sections_.push_back(section_of(*section));
  }
  for (std::uint32_t i = 0; i < elf->symbol_count(); ++i) {
    const auto symbol = elf->symbol(i);
    if (!symbol) return unreadable(object.name_, symbol.error());
    object.symbols_.push_back(symbol_of(*symbol));
  }
  for (std::uint32_t i = 0; i < elf->section_count(); ++i) {
    const auto table = elf->section(i);
    if (!table || table->header.type != image::elf::section_rela) continue;
    if (auto done = object.read_relocations(*table); !done) return std::unexpected(done.error());
  }
  return object;
}

Result<void> ObjectFile::read_relocations(const image::Section& table) {
  if (table.header.info >= sections_.size())
    return fail("{}: {} patches a section that does not exist", name_, table.name);
  for (std::uint32_t i = 0; i < image::ElfFile::rela_count(table); ++i) {
    const auto row = image::ElfFile::rela(table, i);
    if (!row) return unreadable(name_, row.error());
    if (row->symbol() >= symbols_.size())
      return fail("{}: {} names a symbol that does not exist", name_, table.name);
    relocations_.push_back({.section = table.header.info,
                            .offset = row->offset,
                            .type = row->type(),
                            .symbol = row->symbol(),
                            .addend = row->addend});
  }
  return {};
}

const Section* ObjectFile::find_section(std::string_view name) const {
  const auto found = std::ranges::find(sections_, name, &Section::name);
  return found == sections_.end() ? nullptr : &*found;
}

const Symbol* ObjectFile::find_defined_symbol(std::string_view name) const {
  const auto found = std::ranges::find_if(symbols_, [name](const Symbol& symbol) {
    return symbol.name == name && !symbol.is_undefined();
  });
  return found == symbols_.end() ? nullptr : &*found;
}

}  // namespace pkvmemu::build
