// SPDX-License-Identifier: GPL-2.0-only
#include "build/object_file.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace pkvmemu::build {
namespace {

/// A copy of the T at `offset`, if all of it lies in `data`.
template <typename T>
std::optional<T> read_at(std::span<const std::byte> data, std::uint64_t offset) {
  if (offset > data.size() || data.size() - offset < sizeof(T)) return std::nullopt;
  T value{};
  std::memcpy(&value, data.data() + offset, sizeof(T));
  return value;
}

std::optional<std::span<const std::byte>> slice(std::span<const std::byte> data,
                                                std::uint64_t offset, std::uint64_t size) {
  if (offset > data.size() || data.size() - offset < size) return std::nullopt;
  return data.subspan(offset, size);
}

/// The NUL-terminated string at `offset` of a string table.
std::optional<std::string_view> string_at(std::span<const std::byte> table, std::uint64_t offset) {
  if (offset >= table.size()) return std::nullopt;
  const auto* text = reinterpret_cast<const char*>(table.data()) + offset;
  const std::size_t room = table.size() - offset;
  const std::size_t length = strnlen(text, room);
  if (length == room) return std::nullopt;
  return std::string_view(text, length);
}

bool is_aarch64_object(const Elf64_Ehdr& header) {
  return std::memcmp(&header.e_ident[0], ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
         header.e_type == ET_REL && header.e_machine == EM_AARCH64 &&
         header.e_shentsize == sizeof(Elf64_Shdr);
}

}  // namespace

Result<ObjectFile> ObjectFile::parse(std::string name, Bytes image) {
  ObjectFile object(std::move(name), std::move(image));
  if (auto done = object.read_sections(); !done) return std::unexpected(done.error());
  for (std::uint32_t i = 0; i < object.sections_.size(); ++i) {
    if (object.sections_[i].type != SHT_SYMTAB) continue;
    if (auto done = object.read_symbols(i); !done) return std::unexpected(done.error());
  }
  for (std::uint32_t i = 0; i < object.sections_.size(); ++i) {
    if (object.sections_[i].type != SHT_RELA) continue;
    if (auto done = object.read_relocations(i); !done) return std::unexpected(done.error());
  }
  return object;
}

Result<void> ObjectFile::read_sections() {
  const std::span<const std::byte> image(image_);
  const auto header = read_at<Elf64_Ehdr>(image, 0);
  if (!header || !is_aarch64_object(*header))
    return fail("{}: not a 64-bit little-endian AArch64 relocatable object", name_);

  std::vector<Elf64_Shdr> headers;
  for (std::uint64_t i = 0; i < header->e_shnum; ++i) {
    const auto row = read_at<Elf64_Shdr>(image, header->e_shoff + i * sizeof(Elf64_Shdr));
    if (!row) return fail("{}: the section header table leaves the file", name_);
    headers.push_back(*row);
  }
  if (header->e_shstrndx >= headers.size())
    return fail("{}: there is no section name table", name_);
  const Elf64_Shdr& names_row = headers[header->e_shstrndx];
  const auto names = slice(image, names_row.sh_offset, names_row.sh_size);
  if (!names) return fail("{}: the section name table leaves the file", name_);

  for (const Elf64_Shdr& row : headers) {
    Section section;
    section.type = row.sh_type;
    section.flags = row.sh_flags;
    section.size = row.sh_size;
    section.alignment = row.sh_addralign;
    section.info = row.sh_info;
    const auto section_name = string_at(*names, row.sh_name);
    if (!section_name) return fail("{}: a section has no readable name", name_);
    section.name = *section_name;
    if (row.sh_type != SHT_NOBITS && row.sh_type != SHT_NULL) {
      const auto data = slice(image, row.sh_offset, row.sh_size);
      if (!data) return fail("{}: section {} leaves the file", name_, section.name);
      section.data = *data;
    }
    sections_.push_back(section);
    links_.push_back(row.sh_link);
  }
  return {};
}

Result<void> ObjectFile::read_symbols(std::uint32_t table) {
  if (links_[table] >= sections_.size())
    return fail("{}: the symbol table has no string table", name_);
  const std::span<const std::byte> strings = sections_[links_[table]].data;
  const std::span<const std::byte> data = sections_[table].data;
  for (std::uint64_t at = 0; at < data.size(); at += sizeof(Elf64_Sym)) {
    const auto row = read_at<Elf64_Sym>(data, at);
    if (!row) return fail("{}: the symbol table ends within an entry", name_);
    const auto symbol_name = string_at(strings, row->st_name);
    if (!symbol_name) return fail("{}: a symbol has no readable name", name_);
    symbols_.push_back({.name = *symbol_name,
                        .value = row->st_value,
                        .section = row->st_shndx,
                        .binding = static_cast<std::uint8_t>(ELF64_ST_BIND(row->st_info)),
                        .type = static_cast<std::uint8_t>(ELF64_ST_TYPE(row->st_info))});
  }
  return {};
}

Result<void> ObjectFile::read_relocations(std::uint32_t table) {
  const Section& section = sections_[table];
  if (section.info >= sections_.size())
    return fail("{}: {} patches a section that does not exist", name_, section.name);
  for (std::uint64_t at = 0; at < section.data.size(); at += sizeof(Elf64_Rela)) {
    const auto row = read_at<Elf64_Rela>(section.data, at);
    if (!row) return fail("{}: {} ends within an entry", name_, section.name);
    const auto symbol = static_cast<std::uint32_t>(ELF64_R_SYM(row->r_info));
    if (symbol >= symbols_.size())
      return fail("{}: {} names a symbol that does not exist", name_, section.name);
    relocations_.push_back({.section = section.info,
                            .offset = row->r_offset,
                            .type = static_cast<std::uint32_t>(ELF64_R_TYPE(row->r_info)),
                            .symbol = symbol,
                            .addend = row->r_addend});
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
