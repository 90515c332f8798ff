// SPDX-License-Identifier: GPL-2.0-only
// Errors of the image readers: small values that need no memory, made on either side (host tool or
// EL1 kernel) and turned into a sentence only where somebody reads it, from one table (error.cpp).
// Freestanding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

namespace pkvmemu::image {

using ByteView = std::span<const std::byte>;

enum class Code : std::uint8_t {
  empty,               ///< no byte at all
  truncated,           ///< offset + expected bytes needed, found bytes there
  bad_magic,           ///< expected magic, found word
  not_elf,             ///< no ELF magic
  bad_header_size,     ///< of the section table's entries
  section_outside,     ///< index: `found` bytes at offset, of a file of `expected`
  bad_elf_class,       ///< not ELF64
  bad_elf_encoding,    ///< not little-endian
  bad_elf_type,        ///< expected ET_REL
  bad_elf_machine,     ///< expected EM_AARCH64
  bad_entry_size,      ///< a table's entry size
  bad_section_index,   ///< index refers to section `found`, the file has `expected`
  bad_symbol_index,    ///< same for symbols
  no_symbol_table,     ///< a relocatable file without .symtab
  many_symbol_tables,  ///< more than one
  bad_string,          ///< a name without its NUL, or outside its table
  bad_alignment,       ///< sh_addralign is not a power of two
  no_section,          ///< a section that must exist is absent
  bad_size,            ///< a section is smaller than `expected`
  no_vermagic,         ///< .modinfo without vermagic=
  bad_digit,           ///< cpio: a field is not hexadecimal
  no_trailer,          ///< cpio: ends without TRAILER!!!
  bad_version,         ///< devicetree: version not understood
  bad_token,           ///< devicetree: unknown token in the structure block
  bad_nesting,         ///< devicetree: nodes opened and closed unevenly, or too deep
};

struct Error {
  Code code = Code::truncated;
  /// Which record of a table (section, symbol, relocation), where there is one.
  std::uint32_t index = 0;
  /// Where in the file.
  std::uint64_t offset = 0;
  std::uint64_t expected = 0;
  std::uint64_t found = 0;

  constexpr bool operator==(const Error&) const = default;
};

template <typename T>
using Expected = std::expected<T, Error>;

/// The sentence of a code, with {index}, {offset}, {expected} and {found} where the numbers go.
std::string_view words_of(Code code);

/// Writes the sentence into `buffer`, cut to its size; returns the part that was written.
std::string_view describe(const Error& error, std::span<char> buffer);

}  // namespace pkvmemu::image
