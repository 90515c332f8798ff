// SPDX-License-Identifier: GPL-2.0-only
#include "image/elf.h"

#include <algorithm>
#include <array>
#include <bit>

namespace pkvmemu::image {
namespace {

constexpr std::string_view elf_magic = "\177ELF";
constexpr std::size_t ident_class = 4;
constexpr std::size_t ident_data = 5;
constexpr std::uint8_t class_64 = 2;
constexpr std::uint8_t data_little = 1;

std::unexpected<Error> error(Code code, std::uint64_t expected, std::uint64_t found,
                             std::uint32_t index = 0, std::uint64_t offset = 0) {
  return std::unexpected(
      Error{.code = code, .index = index, .offset = offset, .expected = expected, .found = found});
}

/// The first bytes decide what a short file is called.
Expected<ElfHeader> read_header(const Stream& file) {
  if (file.size() == 0) return std::unexpected(Error{.code = Code::empty});
  const auto magic = file.text(0, std::min<std::uint64_t>(file.size(), elf_magic.size()));
  if (!magic || !elf_magic.starts_with(*magic)) return error(Code::not_elf, 0, 0);
  return file.structure<ElfHeader>(0);
}

Expected<void> check_header(const ElfHeader& header) {
  struct Check {
    Code code;
    std::uint64_t expected;
    std::uint64_t found;
  };
  const std::array checks = {
      Check{Code::bad_elf_class, class_64, header.ident[ident_class]},
      Check{Code::bad_elf_encoding, data_little, header.ident[ident_data]},
      Check{Code::bad_elf_type, elf::type_relocatable, header.type},
      Check{Code::bad_elf_machine, elf::machine_aarch64, header.machine},
      Check{Code::bad_header_size, sizeof(SectionHeader), header.section_header_size},
  };
  for (const Check& check : checks)
    if (check.expected != check.found) return error(check.code, check.expected, check.found);
  if (header.section_count == 0) return error(Code::no_section, 1, 0);
  if (header.name_section >= header.section_count)
    return error(Code::bad_section_index, header.section_count, header.name_section);
  return {};
}

}  // namespace

Expected<ElfFile> ElfFile::open(ByteView file) {
  ElfFile result;
  result.file_ = Stream(file);
  const auto header = read_header(result.file_);
  if (!header) return std::unexpected(header.error());
  result.header_ = *header;
  if (const auto checked = check_header(*header); !checked) return std::unexpected(checked.error());
  const auto table = result.file_.range(
      header->section_headers, std::uint64_t{header->section_count} * sizeof(SectionHeader));
  if (!table) return std::unexpected(table.error());

  const auto names = result.section_header(header->name_section);
  if (!names) return std::unexpected(names.error());
  const auto name_bytes = result.file_.range(names->offset, names->size);
  if (!name_bytes) return std::unexpected(name_bytes.error());
  result.section_names_ = Stream(*name_bytes);

  if (const auto checked = result.check_sections(); !checked)
    return std::unexpected(checked.error());
  if (const auto checked = result.check_symbols(); !checked)
    return std::unexpected(checked.error());
  return result;
}

Expected<SectionHeader> ElfFile::section_header(std::uint32_t index) const {
  if (index >= header_.section_count)
    return error(Code::bad_section_index, header_.section_count, index);
  return file_.structure<SectionHeader>(header_.section_headers +
                                        std::uint64_t{index} * sizeof(SectionHeader));
}

Expected<Section> ElfFile::read_section(std::uint32_t index) const {
  const auto header = section_header(index);
  if (!header) return std::unexpected(header.error());
  Section result{.index = index, .name = {}, .header = *header, .content = {}};
  if (index == 0) return result;
  const auto name = section_names_.string(header->name);
  if (!name) return std::unexpected(name.error());
  result.name = *name;
  if (header->type == elf::section_nobits) return result;
  const auto content = file_.range(header->offset, header->size);
  if (!content)
    return error(Code::section_outside, file_.size(), header->size, index, header->offset);
  result.content = *content;
  return result;
}

Expected<Section> ElfFile::section(std::uint32_t index) const {
  return read_section(index);
}

Expected<void> ElfFile::adopt_symbol_table(const Section& section) {
  if (symbol_count_ != 0)
    return error(Code::many_symbol_tables, 0, 0, section.index, section.header.offset);
  if (section.header.entry_size != sizeof(SymbolEntry))
    return error(Code::bad_entry_size, sizeof(SymbolEntry), section.header.entry_size,
                 section.index);
  const auto names = read_section(section.header.link);
  if (!names) return std::unexpected(names.error());
  symbols_ = Stream(section.content);
  symbol_names_ = Stream(names->content);
  symbol_count_ = static_cast<std::uint32_t>(section.content.size() / sizeof(SymbolEntry));
  return {};
}

Expected<void> ElfFile::check_sections() {
  for (std::uint32_t i = 1; i < section_count(); ++i) {
    const auto here = read_section(i);
    if (!here) return std::unexpected(here.error());
    const std::uint64_t alignment = here->header.alignment;
    if (alignment != 0 && !std::has_single_bit(alignment))
      return error(Code::bad_alignment, 0, alignment, i);
    if (here->header.type == elf::section_symtab)
      if (const auto adopted = adopt_symbol_table(*here); !adopted)
        return std::unexpected(adopted.error());
    if (here->header.type != elf::section_rela) continue;
    if (here->header.entry_size != sizeof(RelaEntry))
      return error(Code::bad_entry_size, sizeof(RelaEntry), here->header.entry_size, i);
    if (here->header.info >= section_count())
      return error(Code::bad_section_index, section_count(), here->header.info, i);
  }
  if (symbol_count_ == 0) return error(Code::no_symbol_table, 1, 0);
  return {};
}

Expected<void> ElfFile::check_symbols() const {
  for (std::uint32_t i = 0; i < symbol_count_; ++i) {
    const auto here = symbol(i);
    if (!here) return std::unexpected(here.error());
    if (here->in_section() && here->entry.section >= section_count())
      return error(Code::bad_section_index, section_count(), here->entry.section, i);
  }
  return {};
}

std::optional<Section> ElfFile::find_section(std::string_view name) const {
  for (std::uint32_t i = 1; i < section_count(); ++i) {
    const auto here = read_section(i);
    if (here && here->name == name) return *here;
  }
  return std::nullopt;
}

Expected<Symbol> ElfFile::symbol(std::uint32_t index) const {
  if (index >= symbol_count_) return error(Code::bad_symbol_index, symbol_count_, index);
  const auto entry = symbols_.structure<SymbolEntry>(std::uint64_t{index} * sizeof(SymbolEntry));
  if (!entry) return std::unexpected(entry.error());
  const auto name = symbol_names_.string(entry->name);
  if (!name) return std::unexpected(name.error());
  return Symbol{.index = index, .name = *name, .entry = *entry};
}

std::optional<Symbol> ElfFile::find_defined(std::string_view name) const {
  for (std::uint32_t i = 1; i < symbol_count_; ++i) {
    const auto here = symbol(i);
    if (here && !here->is_undefined() && here->name == name) return *here;
  }
  return std::nullopt;
}

std::uint32_t ElfFile::rela_count(const Section& section) {
  return static_cast<std::uint32_t>(section.content.size() / sizeof(RelaEntry));
}

Expected<RelaEntry> ElfFile::rela(const Section& section, std::uint32_t index) {
  return Stream(section.content).structure<RelaEntry>(std::uint64_t{index} * sizeof(RelaEntry));
}

}  // namespace pkvmemu::image
