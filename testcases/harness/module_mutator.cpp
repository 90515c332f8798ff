// SPDX-License-Identifier: GPL-2.0-only
#include "harness/module_mutator.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "image/elf.h"

namespace pkvmemu::test {
namespace {

using image::ElfHeader;
using image::RelaEntry;
using image::Section;
using image::SectionHeader;
using image::SymbolEntry;

image::ElfFile open(const Bytes& good) {
  auto elf = image::ElfFile::open(good);
  if (!elf) throw std::runtime_error("the module to mutate is damaged already");
  return *elf;
}

template <typename Predicate>
std::vector<Section> sections_that(const image::ElfFile& elf, const Predicate& predicate) {
  std::vector<Section> found;
  for (std::uint32_t i = 1; i < elf.section_count(); ++i)
    if (const auto section = elf.section(i); section && predicate(*section))
      found.push_back(*section);
  return found;
}

std::string at(std::size_t place) {
  return " at " + std::to_string(place);
}

}  // namespace

std::size_t ModuleMutator::below(std::size_t limit) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
}

/// Values that go wrong most: limits, neighbours, the file's size, and now and then any.
std::uint64_t ModuleMutator::value_near(std::uint64_t old, std::size_t file_size) {
  constexpr std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  constexpr unsigned bits = 64;
  const std::array values = {std::uint64_t{0},
                             std::uint64_t{1},
                             max,
                             max / 2,
                             old + 1,
                             old - 1,
                             old * 2,
                             old + 4,
                             old ^ std::uint64_t{1} << below(bits),
                             file_size - old,
                             std::uint64_t{file_size},
                             std::uint64_t{below(file_size)},
                             std::uint64_t{below(std::numeric_limits<std::size_t>::max())}};
  return values.at(below(values.size()));
}

std::string ModuleMutator::change_record(Bytes& bytes, std::size_t place,
                                         const std::vector<Field>& fields,
                                         const std::string& what) {
  const Field& field = fields.at(below(fields.size()));
  const std::size_t where = place + field.place;
  if (where + field.width > bytes.size()) return what + " (cut off already)";
  std::uint64_t old = 0;
  std::memcpy(&old, bytes.data() + where, field.width);
  const std::uint64_t value = value_near(old, bytes.size());
  std::memcpy(bytes.data() + where, &value, field.width);
  return what + "." + field.name + " " + std::to_string(old) + " -> " + std::to_string(value);
}

std::string ModuleMutator::flip_bits(const Bytes& /*good*/, const Bytes& /*other*/, Bytes& bytes) {
  constexpr std::size_t most = 16;
  std::string what = "bits flipped at";
  for (std::size_t left = 1 + below(most); left != 0; --left) {
    const std::size_t place = below(bytes.size());
    bytes[place] ^= std::byte{1} << below(8);
    what += " " + std::to_string(place);
  }
  return what;
}

std::string ModuleMutator::change_header(const Bytes& /*good*/, const Bytes& /*other*/,
                                         Bytes& bytes) {
  static const std::vector<Field> fields = {
      {4, 1, "class"},
      {5, 1, "encoding"},
      {offsetof(ElfHeader, type), 2, "type"},
      {offsetof(ElfHeader, machine), 2, "machine"},
      {offsetof(ElfHeader, section_headers), 8, "section_headers"},
      {offsetof(ElfHeader, flags), 4, "flags"},
      {offsetof(ElfHeader, section_header_size), 2, "section_header_size"},
      {offsetof(ElfHeader, section_count), 2, "section_count"},
      {offsetof(ElfHeader, name_section), 2, "name_section"},
  };
  return change_record(bytes, 0, fields, "header");
}

std::string ModuleMutator::change_section(const Bytes& good, const Bytes& /*other*/, Bytes& bytes) {
  static const std::vector<Field> fields = {
      {offsetof(SectionHeader, name), 4, "name"},
      {offsetof(SectionHeader, type), 4, "type"},
      {offsetof(SectionHeader, flags), 8, "flags"},
      {offsetof(SectionHeader, address), 8, "address"},
      {offsetof(SectionHeader, offset), 8, "offset"},
      {offsetof(SectionHeader, size), 8, "size"},
      {offsetof(SectionHeader, link), 4, "link"},
      {offsetof(SectionHeader, info), 4, "info"},
      {offsetof(SectionHeader, alignment), 8, "alignment"},
      {offsetof(SectionHeader, entry_size), 8, "entry_size"},
  };
  const image::ElfFile elf = open(good);
  ElfHeader header;
  std::memcpy(&header, good.data(), sizeof(header));
  const std::size_t index = below(elf.section_count());
  return change_record(bytes, header.section_headers + index * sizeof(SectionHeader), fields,
                       "section " + std::to_string(index));
}

std::string ModuleMutator::change_symbol(const Bytes& good, const Bytes& /*other*/, Bytes& bytes) {
  static const std::vector<Field> fields = {
      {offsetof(SymbolEntry, name), 4, "name"},       {offsetof(SymbolEntry, info), 1, "info"},
      {offsetof(SymbolEntry, section), 2, "section"}, {offsetof(SymbolEntry, value), 8, "value"},
      {offsetof(SymbolEntry, size), 8, "size"},
  };
  const image::ElfFile elf = open(good);
  const auto tables = sections_that(
      elf, [](const Section& s) { return s.header.type == image::elf::section_symtab; });
  const std::size_t index = below(elf.symbol_count());
  return change_record(bytes, tables.at(0).header.offset + index * sizeof(SymbolEntry), fields,
                       "symbol " + std::to_string(index));
}

std::string ModuleMutator::change_relocation(const Bytes& good, const Bytes& /*other*/,
                                             Bytes& bytes) {
  static const std::vector<Field> fields = {
      {offsetof(RelaEntry, offset), 8, "offset"},
      {offsetof(RelaEntry, info), 4, "type"},
      {offsetof(RelaEntry, info) + 4, 4, "symbol"},
      {offsetof(RelaEntry, addend), 8, "addend"},
  };
  const image::ElfFile elf = open(good);
  const auto tables = sections_that(elf, [](const Section& s) {
    return s.header.type == image::elf::section_rela && s.header.size != 0;
  });
  const Section& table = tables.at(below(tables.size()));
  const std::size_t index = below(image::ElfFile::rela_count(table));
  return change_record(bytes, table.header.offset + index * sizeof(RelaEntry), fields,
                       std::string(table.name) + " " + std::to_string(index));
}

/// EL2's sections, or those that the loader reads by name.
std::string ModuleMutator::change_content(const Bytes& good, const Bytes& /*other*/, Bytes& bytes) {
  const image::ElfFile elf = open(good);
  const auto sections = sections_that(elf, [](const Section& s) {
    const bool read = s.name.starts_with(".hyp") || s.name.starts_with(".gnu.linkonce") ||
                      s.name == ".modinfo" || s.name == "__param" || s.name == ".init.text";
    return read && !s.content.empty();
  });
  const Section& section = sections.at(below(sections.size()));
  constexpr std::size_t most = 8;
  std::string what = std::string(section.name) + " changed";
  for (std::size_t left = 1 + below(most); left != 0; --left) {
    const std::size_t place = section.header.offset + below(section.header.size);
    if (place >= bytes.size()) continue;
    bytes[place] = static_cast<std::byte>(below(256));
    what += at(place - section.header.offset);
  }
  return what;
}

std::string ModuleMutator::truncate(const Bytes& /*good*/, const Bytes& /*other*/, Bytes& bytes) {
  bytes.resize(1 + below(bytes.size()));
  return "cut to " + std::to_string(bytes.size());
}

/// A part of the other file over, or between, the bytes of this one.
std::string ModuleMutator::splice(const Bytes& /*good*/, const Bytes& other, Bytes& bytes) {
  const std::size_t from = below(other.size());
  const std::size_t size = 1 + below(std::min<std::size_t>(other.size() - from, 4096));
  const std::size_t place = below(bytes.size());
  const auto part = std::span(other).subspan(from, size);
  const auto target = bytes.begin() + static_cast<std::ptrdiff_t>(place);
  if (below(2) == 0) {
    bytes.insert(target, part.begin(), part.end());
    return std::to_string(size) + " bytes of another put in" + at(place);
  }
  std::copy_n(part.begin(), std::min(size, bytes.size() - place), target);
  return std::to_string(size) + " bytes of another put over" + at(place);
}

ModuleMutator::Mutated ModuleMutator::mutate(const Bytes& good, const Bytes& other) {
  constexpr std::array<Change, 12> changes = {
      &ModuleMutator::flip_bits,         &ModuleMutator::change_header,
      &ModuleMutator::change_section,    &ModuleMutator::change_section,
      &ModuleMutator::change_symbol,     &ModuleMutator::change_symbol,
      &ModuleMutator::change_relocation, &ModuleMutator::change_relocation,
      &ModuleMutator::change_content,    &ModuleMutator::change_content,
      &ModuleMutator::truncate,          &ModuleMutator::splice,
  };
  constexpr std::size_t most_changes = 3;
  Mutated result{.bytes = good, .what = {}};
  for (std::size_t left = 1 + below(most_changes); left != 0; --left) {
    const Change change = changes.at(below(changes.size()));
    if (!result.what.empty()) result.what += "; ";
    result.what += (this->*change)(good, other, result.bytes);
  }
  return result;
}

}  // namespace pkvmemu::test
