// SPDX-License-Identifier: GPL-2.0-only
// Reader of relocatable ELF64 files for AArch64 (.o and .ko). open() checks the header, that every
// section lies in the file and has a name, and finds the one symbol table; after that, section()
// and symbol() fail only for an index that does not exist. Nothing is copied. Freestanding.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "image/error.h"
#include "image/stream.h"

namespace pkvmemu::image {

// Values of the ELF specification.
namespace elf {
inline constexpr std::uint16_t type_relocatable = 1;
inline constexpr std::uint16_t machine_aarch64 = 183;

inline constexpr std::uint32_t section_progbits = 1;
inline constexpr std::uint32_t section_symtab = 2;
inline constexpr std::uint32_t section_strtab = 3;
inline constexpr std::uint32_t section_rela = 4;
inline constexpr std::uint32_t section_nobits = 8;
inline constexpr std::uint32_t section_rel = 9;

inline constexpr std::uint64_t flag_write = 1;
inline constexpr std::uint64_t flag_alloc = 2;
inline constexpr std::uint64_t flag_exec = 4;
inline constexpr std::uint64_t flag_merge = 0x10;
inline constexpr std::uint64_t flag_strings = 0x20;

inline constexpr std::uint16_t index_undefined = 0;
inline constexpr std::uint16_t index_reserved = 0xff00;
inline constexpr std::uint16_t index_absolute = 0xfff1;
inline constexpr std::uint16_t index_common = 0xfff2;

inline constexpr unsigned bind_weak = 2;
inline constexpr unsigned symbol_notype = 0;
inline constexpr unsigned symbol_function = 2;
inline constexpr unsigned symbol_section = 3;
inline constexpr unsigned symbol_file = 4;
}  // namespace elf

struct ElfHeader {
  std::uint8_t ident[16];
  std::uint16_t type;
  std::uint16_t machine;
  std::uint32_t version;
  std::uint64_t entry;
  std::uint64_t program_headers;
  std::uint64_t section_headers;
  std::uint32_t flags;
  std::uint16_t header_size;
  std::uint16_t program_header_size;
  std::uint16_t program_header_count;
  std::uint16_t section_header_size;
  std::uint16_t section_count;
  std::uint16_t name_section;
};
static_assert(sizeof(ElfHeader) == 64);

struct SectionHeader {
  std::uint32_t name;
  std::uint32_t type;
  std::uint64_t flags;
  std::uint64_t address;
  std::uint64_t offset;
  std::uint64_t size;
  std::uint32_t link;
  std::uint32_t info;
  std::uint64_t alignment;
  std::uint64_t entry_size;
};
static_assert(sizeof(SectionHeader) == 64);

struct SymbolEntry {
  std::uint32_t name;
  std::uint8_t info;
  std::uint8_t other;
  std::uint16_t section;
  std::uint64_t value;
  std::uint64_t size;
};
static_assert(sizeof(SymbolEntry) == 24);

struct RelaEntry {
  std::uint64_t offset;
  std::uint64_t info;
  std::int64_t addend;

  [[nodiscard]] constexpr std::uint32_t type() const { return static_cast<std::uint32_t>(info); }
  [[nodiscard]] constexpr std::uint32_t symbol() const {
    return static_cast<std::uint32_t>(info >> 32);
  }
};
static_assert(sizeof(RelaEntry) == 24);

struct Section {
  std::uint32_t index = 0;
  std::string_view name;
  SectionHeader header{};
  ByteView content;  ///< empty for NOBITS

  [[nodiscard]] constexpr bool allocated() const { return (header.flags & elf::flag_alloc) != 0; }
  [[nodiscard]] constexpr bool is_nobits() const { return header.type == elf::section_nobits; }
};

struct Symbol {
  std::uint32_t index = 0;
  std::string_view name;
  SymbolEntry entry{};

  [[nodiscard]] constexpr unsigned binding() const { return entry.info >> 4U; }
  [[nodiscard]] constexpr unsigned type() const { return entry.info & 0xfU; }
  [[nodiscard]] constexpr bool is_undefined() const {
    return entry.section == elf::index_undefined;
  }
  /// Defined in a section of this file.
  [[nodiscard]] constexpr bool in_section() const {
    return entry.section != elf::index_undefined && entry.section < elf::index_reserved;
  }
  /// "$x", "$d.12": marks for tools, names of nothing.
  [[nodiscard]] constexpr bool is_mapping() const {
    return name.size() >= 2 && name[0] == '$' && (name[1] == 'x' || name[1] == 'd') &&
           (name.size() == 2 || name[2] == '.');
  }
};

class ElfFile {
 public:
  ElfFile() = default;
  static Expected<ElfFile> open(ByteView file);

  [[nodiscard]] const ElfHeader& header() const { return header_; }
  [[nodiscard]] std::uint32_t section_count() const { return header_.section_count; }
  [[nodiscard]] Expected<Section> section(std::uint32_t index) const;
  /// The first section of this name.
  [[nodiscard]] std::optional<Section> find_section(std::string_view name) const;

  [[nodiscard]] std::uint32_t symbol_count() const { return symbol_count_; }
  [[nodiscard]] Expected<Symbol> symbol(std::uint32_t index) const;
  /// The first symbol of this name that is defined here.
  [[nodiscard]] std::optional<Symbol> find_defined(std::string_view name) const;

  /// A RELA section's entries: how many, and each one.
  [[nodiscard]] static std::uint32_t rela_count(const Section& section);
  [[nodiscard]] static Expected<RelaEntry> rela(const Section& section, std::uint32_t index);

 private:
  [[nodiscard]] Expected<SectionHeader> section_header(std::uint32_t index) const;
  [[nodiscard]] Expected<Section> read_section(std::uint32_t index) const;
  [[nodiscard]] Expected<void> check_sections();
  [[nodiscard]] Expected<void> check_symbols() const;
  [[nodiscard]] Expected<void> adopt_symbol_table(const Section& section);

  Stream file_;
  Stream section_names_;
  Stream symbols_;
  Stream symbol_names_;
  ElfHeader header_{};
  std::uint32_t symbol_count_ = 0;
};

}  // namespace pkvmemu::image
