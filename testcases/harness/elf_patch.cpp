// SPDX-License-Identifier: GPL-2.0-only
#include "harness/elf_patch.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace pkvmemu::test {
namespace {

template <typename T>
T must(const image::Expected<T>& value) {
  if (!value) throw std::runtime_error("the module to change is damaged already");
  return *value;
}

image::ElfFile open(const Bytes& bytes) {
  return must(image::ElfFile::open(bytes));
}

}  // namespace

ElfPatch::ElfPatch(Bytes good) : bytes_(std::move(good)) {
  const image::ElfFile elf = open(bytes_);
  header_ = must(image::Stream(bytes_).structure<image::ElfHeader>(0));
  for (std::uint32_t i = 0; i < elf.section_count(); ++i) {
    const image::Section section = must(elf.section(i));
    headers_.push_back(section.header);
    names_.emplace_back(section.name);
  }
}

ElfPatch& ElfPatch::identity(std::size_t index, std::uint8_t value) {
  bytes_.at(index) = std::byte{value};
  return *this;
}

ElfPatch& ElfPatch::resize(std::size_t size) {
  bytes_.resize(size);
  return *this;
}

std::size_t ElfPatch::index_of(std::string_view name) const {
  const auto found = std::ranges::find(names_, name);
  if (found == names_.end()) throw std::out_of_range("no section " + std::string(name));
  return static_cast<std::size_t>(found - names_.begin());
}

std::size_t ElfPatch::section_place(std::size_t index) const {
  return header_.section_headers + index * sizeof(image::SectionHeader);
}

std::size_t ElfPatch::symbol_place(std::string_view name) const {
  const image::SectionHeader& table = section_of(".symtab");
  const image::Stream names(
      must(image::Stream(bytes_).range(section_of(".strtab").offset, section_of(".strtab").size)));
  for (std::size_t place = table.offset; place < table.offset + table.size;
       place += sizeof(image::SymbolEntry)) {
    const auto entry = must(image::Stream(bytes_).structure<image::SymbolEntry>(place));
    if (must(names.string(entry.name)) == name) return place;
  }
  throw std::out_of_range("no symbol " + std::string(name));
}

const image::SectionHeader& ElfPatch::relocations_of(std::string_view section) const {
  const std::size_t target = index_of(section);
  const auto found = std::ranges::find_if(headers_, [&](const image::SectionHeader& header) {
    return header.type == image::elf::section_rela && header.info == target;
  });
  if (found == headers_.end()) throw std::out_of_range("no relocations of " + std::string(section));
  return *found;
}

std::size_t ElfPatch::relocation_place(std::string_view section, std::size_t n) const {
  const image::SectionHeader& table = relocations_of(section);
  if ((n + 1) * sizeof(image::RelaEntry) > table.size)
    throw std::out_of_range("too few relocations of " + std::string(section));
  return table.offset + n * sizeof(image::RelaEntry);
}

std::size_t ElfPatch::relocation_of_type(std::string_view section, std::uint32_t type) const {
  for (std::size_t n = 0;; ++n) {
    const auto entry =
        must(image::Stream(bytes_).structure<image::RelaEntry>(relocation_place(section, n)));
    if (entry.type() == type) return n;
  }
}

}  // namespace pkvmemu::test
